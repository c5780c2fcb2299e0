// Back-projection of a circular cone-beam scan through the texture units of a GPU.
//
// One work-item computes N_Z voxels of one column: detector column, weight and magnification are
// worked out once an angle. The four neighbours are read and weighted here: the hardware's own
// interpolation has weights of 8 bits only, which shows in the third digit of a voxel.
//
// Constants of the build:
//   N_Z   voxels of a column that a work-item computes
//   SIDE  pixels of a work-group's square each way

__constant sampler_t NEAREST =
    CLK_NORMALIZED_COORDS_FALSE | CLK_ADDRESS_CLAMP_TO_EDGE | CLK_FILTER_NEAREST;

// rows     (angle, column, row)  filtered projections: layers of an image, rows along its width
// volume   (y, x, z)             z innermost, a multiple of N_Z
// views    (angle)               cosine, sine, principal column and row in `rows`
// chords   (y)                   first pixel and one past the last to compute
// Global size (width and height rounded up to SIDE, n_z / N_Z); groups of SIDE x SIDE x 1.
__kernel __attribute__((reqd_work_group_size(SIDE, SIDE, 1)))
void back_project(__read_only image2d_array_t rows, __global float *restrict volume,
                  __global const float4 *restrict views, __global const int2 *restrict chords,
                  const float source, const float axis_shift, const float2 first, const float step,
                  const float z_first, const int n_columns, const int n_rows, const int n_angles,
                  const int width, const int height, const int n_z, const int is_first)
{
    const int ix = get_global_id(0), iy = get_global_id(1), z0 = get_global_id(2) * N_Z;
    if (iy >= height)
        return;
    const int2 chord = chords[iy];
    if (ix < chord.x || ix >= chord.y)
        return;
    const float x = first.x + ix * step, y = first.y + iy * step, z = z_first + z0;

    float sum[N_Z];
    #pragma unroll
    for (int k = 0; k < N_Z; k++)
        sum[k] = 0.f;
    for (int angle = 0; angle < n_angles; angle++) {
        const float4 view = views[angle];
        const float magnified = source / (source + y * view.x - x * view.y);
        const float u = magnified * (x * view.x + y * view.y + axis_shift) + view.z;
        const float weight = magnified * magnified;
        const float v = magnified * z + view.w;
        const float column = floor(u), right = weight * (u - column), left = weight - right;
        #pragma unroll
        for (int k = 0; k < N_Z; k++) {
            const float at = v + k * magnified, row = floor(at), after = at - row;
            const int4 one = (int4)((int)row, (int)column, angle, 0), next = one + (int4)(1, 0, 0, 0);
            const int4 down = (int4)(0, 1, 0, 0);
            const float before = left * read_imagef(rows, NEAREST, one).x
                               + right * read_imagef(rows, NEAREST, one + down).x;
            const float beyond = left * read_imagef(rows, NEAREST, next).x
                               + right * read_imagef(rows, NEAREST, next + down).x;
            sum[k] = before + after * (beyond - before) + sum[k];
        }
    }
    __global float *voxel = volume + ((size_t)iy * width + ix) * n_z + z0;
    #pragma unroll
    for (int k = 0; k < N_Z; k++)
        voxel[k] = is_first ? sum[k] : voxel[k] + sum[k];
}
