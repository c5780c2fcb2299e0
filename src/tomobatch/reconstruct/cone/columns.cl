// Back-projection of a circular cone-beam scan on a CPU, one column of voxels after the other.
//
// All voxels of a column along z share the detector column, the weight and the magnification; only
// the detector row changes, and linearly: v(z) = v(z0) + (z - z0) * dv. So the two detector columns
// are blended once for the whole column of voxels, by loads of whole cache lines, into a line that
// stays in the nearest cache. For eight voxels one above the other the rows are v + j dv with dv
// near 1, so a few loads of eight neighbouring rows of that line take the place of two gathers: with
// v = i + f the row of voxel j is i + j + f + j (dv - 1), and the value there is that of the
// piecewise linear function through rows i + j, i + j + 1, ... at f + j (dv - 1), exactly. Two
// angles are added at a time, so that every sum is fetched and kept half as often.
//
// Constants of the build:
//   N_VECS  vectors of eight voxels that are kept in registers or the nearest cache, a multiple of 8
//   TAPS    2 + the smallest whole number from 7 |dv - 1| on, for all pixels
//   LINE    rows that a column of voxels may project to, and what is loaded about them
//   TILE    columns and rows of a tile of pixels
//
// rows     (angle, column, row)   filtered projections, a multiple of 8 rows; so far beyond those
//                                 needed that no load leaves them and no index is negative
// volume   (y, x, z)              z innermost, a multiple of 8 N_VECS
// views    (angle)                cosine, sine, principal column and row in `rows`; a multiple of 8
// chords   (y)                    first pixel and one past the last to compute
// One work-item a tile and block of z; global size (tiles across, tiles down, blocks).

#define ALIGNED __attribute__((aligned(32)))  // or PoCL stores past what it has aligned
typedef float8 loose __attribute__((aligned(4)));  // eight floats at any float's address

#define COUNT ((float8)(0, 1, 2, 3, 4, 5, 6, 7))
#define TILE_ANGLES 8
#define AT_ONCE 2

// Value at f of the piecewise linear function through b[0], b[1], ..., b[taps - 1].
static inline float8 piecewise(const float8 *b, const float8 f, const int taps)
{
    float8 slope = b[1] - b[0];
    float8 value = b[0] + f * slope;
    #pragma unroll
    for (int k = 2; k < taps; k++) {
        const float8 next = b[k] - b[k - 1];
        const float8 beyond = f - (float)(k - 1);
        value += (beyond > 0.f ? beyond : (float8)(0.f)) * (next - slope);
        slope = next;
    }
    return value;
}

#define ADD_ALL(taps)                                                    \
    _Pragma("unroll 8")                                                  \
    for (int k = 0; k < N_VECS; k++) {                                   \
        float8 total = sum[k];                                           \
        _Pragma("unroll")                                                \
        for (int j = 0; j < AT_ONCE; j++) {                              \
            float8 b[taps];                                              \
            _Pragma("unroll")                                            \
            for (int t = 0; t < taps; t++)                               \
                b[t] = *(const loose *)(line[j] + whole[j][k] + t);      \
            total += piecewise(b, part[j][k] + drift[j] * COUNT, taps);  \
        }                                                                \
        sum[k] = total;                                                  \
    }

// Blend n vectors of two detector columns into a line.
static inline void blend(__global const float8 *left, __global const float8 *right,
                         const float before, const float after, const int n, float8 *line)
{
    #pragma unroll 4
    for (int i = 0; i < n; i++)
        line[i] = before * left[i] + after * right[i];
}

__kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void back_project(__global const float *restrict rows, __global float *restrict volume,
                  __global const float4 *restrict views, __global const int2 *restrict chords,
                  const float source, const float axis_shift, const float2 first, const float step,
                  const float z_first, const int n_columns, const int n_rows, const int n_angles,
                  const int width, const int height, const int n_z, const int is_first)
{
    const int tile_x = get_group_id(0) * TILE, tile_y = get_group_id(1) * TILE;
    const int last_y = min(tile_y + TILE, height);
    const int z0 = get_group_id(2) * N_VECS * 8;
    const float z = z_first + z0;
    float line[AT_ONCE][LINE] ALIGNED;

    for (int angle = 0; angle < n_angles; angle += TILE_ANGLES) {
        float8 cosine, sine, centre_u, centre_v;
        for (int a = 0; a < TILE_ANGLES; a++) {
            ((float *)&cosine)[a] = views[angle + a].x;
            ((float *)&sine)[a] = views[angle + a].y;
            ((float *)&centre_u)[a] = views[angle + a].z;
            ((float *)&centre_v)[a] = views[angle + a].w;
        }
        const bool fresh = is_first && angle == 0;
        for (int iy = tile_y; iy < last_y; iy++) {
            const int2 chord = chords[iy];
            const int last_x = min(tile_x + TILE, chord.y);
            for (int ix = max(tile_x, chord.x); ix < last_x; ix++) {
                __global float8 *voxel =
                    (__global float8 *)(volume + ((size_t)iy * width + ix) * n_z + z0);
                const float x = first.x + ix * step, y = first.y + iy * step;
                float before[TILE_ANGLES] ALIGNED, after[TILE_ANGLES] ALIGNED;
                float steps[TILE_ANGLES] ALIGNED, starts[TILE_ANGLES] ALIGNED;
                int columns[TILE_ANGLES] ALIGNED;
                {
                    const float8 inverse = 1.f / (source + y * cosine - x * sine);
                    const float8 magnified = source * inverse;
                    const float8 u = clamp(
                        magnified * (x * cosine + y * sine + axis_shift) + centre_u,
                        0.f, n_columns - 1.001f);
                    const int8 column = convert_int8(u);
                    const float8 weight = magnified * magnified;
                    const float8 share = (u - convert_float8(column)) * weight;
                    *(int8 *)columns = column;
                    *(float8 *)after = share;
                    *(float8 *)before = weight - share;
                    *(float8 *)steps = magnified;
                    *(float8 *)starts = magnified * z + centre_v;
                }
                float8 sum[N_VECS];
                #pragma unroll
                for (int k = 0; k < N_VECS; k++)
                    sum[k] = fresh ? (float8)(0.f) : voxel[k];

                for (int pair = 0; pair < TILE_ANGLES; pair += AT_ONCE) {
                    int whole[AT_ONCE][N_VECS] ALIGNED;
                    float part[AT_ONCE][N_VECS] ALIGNED;
                    float drift[AT_ONCE], largest = 0.f;
                    for (int j = 0; j < AT_ONCE; j++) {
                        const int a = pair + j;
                        drift[j] = steps[a] - 1.f;
                        largest = max(largest, fabs(drift[j]));
                        const float lowest = min(drift[j], 0.f) * 7;
                        const int begin = (int)(starts[a] + lowest) & ~7;
                        const int end = min(
                            (int)(starts[a] + steps[a] * (8 * N_VECS - 1)) + TAPS + 3, n_rows);
                        __global const float *left =
                            rows + ((size_t)(angle + a) * n_columns + columns[a]) * n_rows + begin;
                        blend((__global const float8 *)left,
                              (__global const float8 *)(left + n_rows),
                              before[a], after[a], (end - begin + 7) / 8, (float8 *)line[j]);
                        #pragma unroll
                        for (int k = 0; k < N_VECS; k += 8) {
                            const float8 at = starts[a] + steps[a] * 8.f * (COUNT + (float)k);
                            const int8 row = convert_int8(at + lowest);
                            *(int8 *)(whole[j] + k) = row - begin;
                            *(float8 *)(part[j] + k) = at - convert_float8(row);
                        }
                    }
                    if (largest * 7 < .999f) {
                        ADD_ALL(3)
                    } else {
                        ADD_ALL(TAPS)
                    }
                }
                #pragma unroll
                for (int k = 0; k < N_VECS; k++)
                    voxel[k] = sum[k];
            }
        }
    }
}
