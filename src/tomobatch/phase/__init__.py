"""Phase retrieval: from intensities at a distance behind the sample to what it absorbs."""
