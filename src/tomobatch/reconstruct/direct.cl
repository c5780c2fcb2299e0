// Back-projection of filtered rows, all slices of a block at once.
//
// Slices ("lanes") are interleaved in the innermost dimension: the sample's index and weight of a
// pixel at an angle are worked out once for all of them, and every load is a full vector.
//
// Constants of the build:
//   VEC       float, float4, float8 or float16: one vector of lanes
//   N_VECS    vectors a pixel; lanes = N_VECS * width of VEC
//   N_PIXELS  neighbouring pixels of a row that are kept in registers
//   TILE      columns and rows of a tile of pixels, a multiple of N_PIXELS
//   N_ANGLES  angles worked through before the pixels of a tile are written back
//
// No built-in function takes a VEC: those of 16 floats abort the compiler of PoCL 3.0.

#define FRACTION_BITS 23
#define FRACTION_MASK ((1L << FRACTION_BITS) - 1)
#define ONE_AS_INT 0x3f800000

// rows     (angle, sample, lane)  filtered rows
// image    (row, column, lane)    columns padded to a multiple of N_PIXELS; those outside the
//                                 chords are left as they are
// steps    (angle)                x: change of the sample's index for one pixel to the right,
//                                 y: for one pixel down, z: index at pixel [0, 0];
//                                 fixed point with FRACTION_BITS bits after the point
// chords   (row)                  first pixel and one past the last to compute in the row,
//                                 multiples of N_PIXELS
// One work-item a tile; global size (tiles across, tiles down).
__kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void back_project(__global const VEC *restrict rows, __global VEC *restrict image,
                  __global const long4 *restrict steps, __global const int2 *restrict chords,
                  const int n_samples, const int n_angles, const int width, const int height)
{
    const int tile_x = get_group_id(0) * TILE;
    const int tile_y = get_group_id(1) * TILE;
    const int last_y = min(tile_y + TILE, height);

    for (int first = 0; first < n_angles; first += N_ANGLES) {
        const int last = min(first + N_ANGLES, n_angles);
        for (int y = tile_y; y < last_y; y++) {
            const int2 chord = chords[y];
            const int last_x = min(tile_x + TILE, chord.y);
            for (int x = max(tile_x, chord.x); x < last_x; x += N_PIXELS) {
                __global VEC *pixel = image + ((size_t)y * width + x) * N_VECS;
                VEC sum[N_PIXELS * N_VECS];
                #pragma unroll
                for (int k = 0; k < N_PIXELS * N_VECS; k++)
                    sum[k] = first == 0 ? (VEC)(0.f) : pixel[k];

                __global const VEC *row = rows + (size_t)first * n_samples * N_VECS;
                for (int angle = first; angle < last; angle++) {
                    const long4 step = steps[angle];
                    long index = step.z + x * step.x + y * step.y;
                    #pragma unroll
                    for (int p = 0; p < N_PIXELS; p++) {
                        __global const VEC *q = row + (index >> FRACTION_BITS) * N_VECS;
                        // The fraction becomes the mantissa of a float in [1, 2).
                        const float weight =
                            as_float((int)(index & FRACTION_MASK) | ONE_AS_INT) - 1.f;
                        const VEC after = (VEC)(weight), before = (VEC)(1.f - weight);
                        #pragma unroll
                        for (int k = 0; k < N_VECS; k++) {
                            sum[p * N_VECS + k] = before * q[k] + sum[p * N_VECS + k];
                            sum[p * N_VECS + k] = after * q[N_VECS + k] + sum[p * N_VECS + k];
                        }
                        index += step.x;
                    }
                    row += (size_t)n_samples * N_VECS;
                }
                #pragma unroll
                for (int k = 0; k < N_PIXELS * N_VECS; k++)
                    pixel[k] = sum[k];
            }
        }
    }
}
