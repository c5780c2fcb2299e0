"""Step 2: sinograms without the stripes that make rings."""

from tomobatch.stripes.removal import remove_stripes
from tomobatch.stripes.settings import StripeSettings

__all__ = ["StripeSettings", "remove_stripes"]
