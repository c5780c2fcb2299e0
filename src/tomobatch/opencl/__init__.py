"""OpenCL, whatever is computed with it: devices, kernels, buffers, and how to check them."""
