// Between the layout of users, one slice after the other, and that of the kernels, slices
// interleaved in the innermost dimension ("lanes").
//
// Constants of the build:
//   LANES     slices of a block
//   N_PIXELS  pixels a work-item moves

// image    (row, column, lane)   columns padded to `stride`; outside the mask never written
// slices   (slice, row, column)  what is outside the mask becomes 0
// first    position of pixel [0, 0] from the axis, in detector pixels
// step     distance of pixels
// radius2  square of the mask's radius, or a negative number for no mask
// One work-item a run of N_PIXELS columns; global size (runs across, rows).
__kernel void split_slices(__global const float *restrict image, __global float *restrict slices,
                           const int n_slices, const int width, const int height, const int stride,
                           const float2 first, const float step, const float radius2)
{
    const int start = get_global_id(0) * N_PIXELS;
    const int row = get_global_id(1);
    if (row >= height)
        return;
    const int stop = min(start + N_PIXELS, width);
    const float y = first.y + row * step;
    for (int slice = 0; slice < n_slices; slice++) {
        __global const float *from = image + ((size_t)row * stride + start) * LANES + slice;
        __global float *to = slices + ((size_t)slice * height + row) * width;
        for (int column = start; column < stop; column++) {
            const float x = first.x + column * step;
            const bool inside = radius2 < 0 || x * x + y * y <= radius2;
            to[column] = inside ? *from : 0.f;
            from += LANES;
        }
    }
}
