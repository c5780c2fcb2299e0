// Back-projection of filtered rows through the texture units of a GPU.
//
// Four slices are the four channels of an image of (sample, angle); one work-item computes one
// pixel of all four. The two neighbours are read and weighted here: the hardware's own
// interpolation has weights of 8 bits only.
//
// Constants of the build:
//   SIDE  pixels of a work-group's square each way

__constant sampler_t NEAREST =
    CLK_NORMALIZED_COORDS_FALSE | CLK_ADDRESS_CLAMP_TO_EDGE | CLK_FILTER_NEAREST;

#define FRACTION_BITS 23
#define ONE_PIXEL ((float)(1 << FRACTION_BITS))

// rows     (angle, sample)      filtered rows, four lanes the four channels
// image    (row, column, lane)  columns padded to a multiple of SIDE
// steps    (angle)              x: change of the sample's index for one pixel to the right,
//                               y: for one pixel down, z: index at pixel [0, 0];
//                               fixed point with FRACTION_BITS bits after the point
// chords   (row)                first pixel and one past the last to compute in the row
// Global size (columns of image, rows rounded up to SIDE); groups of SIDE x SIDE.
__kernel __attribute__((reqd_work_group_size(SIDE, SIDE, 1)))
void back_project(__read_only image2d_t rows, __global float4 *restrict image,
                  __global const long4 *restrict steps, __global const int2 *restrict chords,
                  const int n_samples, const int n_angles, const int width, const int height)
{
    const int x = get_global_id(0), y = get_global_id(1);
    if (y >= height)
        return;
    const int2 chord = chords[y];
    if (x < chord.x || x >= chord.y)
        return;

    float4 sum = (float4)(0.f);
    for (int angle = 0; angle < n_angles; angle++) {
        const long4 step = steps[angle];
        const long index = step.z + x * step.x + y * step.y;
        const int sample = (int)(index >> FRACTION_BITS);
        const float after = (float)(index & ((1L << FRACTION_BITS) - 1)) / ONE_PIXEL;
        const float4 one = read_imagef(rows, NEAREST, (int2)(sample, angle));
        const float4 next = read_imagef(rows, NEAREST, (int2)(sample + 1, angle));
        sum = (1.f - after) * one + sum;
        sum = after * next + sum;
    }
    image[(size_t)y * width + x] = sum;
}
