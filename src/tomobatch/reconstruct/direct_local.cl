// Back-projection of filtered rows for devices with local memory of their own (GPUs).
//
// A work-group computes a square of pixels, one a work-item, all slices ("lanes") in registers. For
// every angle the square projects to a short strip of samples: the group copies the strips of
// N_ANGLES angles to local memory together, then every pixel interpolates in them.
//
// Constants of the build:
//   VEC       float or float4: one vector of lanes
//   N_VECS    vectors a pixel; lanes = N_VECS * width of VEC
//   SIDE      pixels of the square each way
//   N_ANGLES  angles whose strips are held at a time
//   STRIP     samples of a strip: what the square's diagonal covers, and 2 for the interpolation

#define FRACTION_BITS 23
#define ONE_PIXEL ((float)(1 << FRACTION_BITS))

// rows     (angle, sample, lane)  filtered rows
// image    (row, column, lane)    columns padded to a multiple of SIDE
// steps    (angle)                x: change of the sample's index for one pixel to the right,
//                                 y: for one pixel down, z: index at pixel [0, 0];
//                                 fixed point with FRACTION_BITS bits after the point
// chords   (row)                  first pixel and one past the last to compute in the row
// Global size (columns of image, rows rounded up to SIDE); groups of SIDE x SIDE.
__kernel __attribute__((reqd_work_group_size(SIDE, SIDE, 1)))
void back_project(__global const VEC *restrict rows, __global VEC *restrict image,
                  __global const long4 *restrict steps, __global const int2 *restrict chords,
                  const int n_samples, const int n_angles, const int width, const int height)
{
    // (angle, vector, sample): neighbouring pixels read neighbouring samples, which lie in
    // different banks. With the vectors innermost they all met in one.
    __local VEC strips[N_ANGLES * N_VECS * STRIP];
    __local float starts[N_ANGLES];

    const int x = get_global_id(0), y = get_global_id(1);
    const int in_x = get_local_id(0), in_y = get_local_id(1);
    const int item = in_y * SIDE + in_x;
    const int left = x - in_x, top = y - in_y;

    // The same for all of the group, so that all or none meet at the barriers below.
    bool seen = false;
    for (int row = top; row < min(top + SIDE, height); row++)
        seen = seen || (chords[row].x < left + SIDE && chords[row].y > left);
    if (!seen)
        return;

    VEC sum[N_VECS];
    #pragma unroll
    for (int k = 0; k < N_VECS; k++)
        sum[k] = (VEC)(0.f);

    for (int first = 0; first < n_angles; first += N_ANGLES) {
        const int n = min(N_ANGLES, n_angles - first);
        barrier(CLK_LOCAL_MEM_FENCE);
        for (int i = item; i < n * STRIP * N_VECS; i += SIDE * SIDE) {
            const int k = i % N_VECS, place = i / N_VECS % STRIP, angle = i / N_VECS / STRIP;
            const long4 step = steps[first + angle];
            // The corner of the square that projects furthest to the left.
            const long corner = step.z + left * step.x + top * step.y
                              + min(0L, (SIDE - 1) * step.x) + min(0L, (SIDE - 1) * step.y);
            const int start = (int)(corner >> FRACTION_BITS);
            if (place == 0 && k == 0)
                starts[angle] =
                    (float)(step.z + left * step.x + top * step.y
                            - start * (1L << FRACTION_BITS)) / ONE_PIXEL;
            // Squares that reach beyond the mask reach beyond the row; those pixels are not kept.
            const int sample = clamp(start + place, 0, n_samples - 1);
            strips[(angle * N_VECS + k) * STRIP + place] =
                rows[((size_t)(first + angle) * n_samples + sample) * N_VECS + k];
        }
        barrier(CLK_LOCAL_MEM_FENCE);
        for (int angle = 0; angle < n; angle++) {
            const long4 step = steps[first + angle];
            const float t = starts[angle] + in_x * ((float)step.x / ONE_PIXEL)
                                          + in_y * ((float)step.y / ONE_PIXEL);
            const int index = clamp((int)t, 0, STRIP - 2);
            const float after = t - (float)index, before = 1.f - after;
            __local const VEC *q = strips + angle * N_VECS * STRIP + index;
            #pragma unroll
            for (int k = 0; k < N_VECS; k++) {
                sum[k] = before * q[k * STRIP] + sum[k];
                sum[k] = after * q[k * STRIP + 1] + sum[k];
            }
        }
    }
    if (y >= height)
        return;
    const int2 chord = chords[y];
    if (x < chord.x || x >= chord.y)
        return;
    #pragma unroll
    for (int k = 0; k < N_VECS; k++)
        image[((size_t)y * width + x) * N_VECS + k] = sum[k];
}
