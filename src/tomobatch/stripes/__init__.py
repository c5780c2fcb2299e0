"""Step 2: sinograms without the stripes that make rings."""
