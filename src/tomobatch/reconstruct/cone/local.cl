// Back-projection of a circular cone-beam scan for devices with local memory of their own (GPUs).
//
// A work-group computes a square of pixels and N_Z voxels of each. At every angle the group's voxels
// project to a small patch of the detector, which it copies to local memory; then every work-item
// interpolates for one z and N_PIXELS pixels, neighbours in z reading neighbouring rows.
//
// Constants of the build:
//   SIDE      pixels of the square each way
//   N_Z       voxels of a column of the group, work-items along z
//   N_PIXELS  pixels a work-item computes, a divisor of SIDE * SIDE
//   COLUMNS   columns of a patch
//   ROWS      rows of a patch

#define N_SHARES (SIDE * SIDE / N_PIXELS)
#define N_ITEMS (N_Z * N_SHARES)

// rows     (angle, column, row)  filtered projections
// volume   (y, x, z)             z innermost, a multiple of N_Z
// views    (angle)               cosine, sine, principal column and row in `rows`
// chords   (y)                   first pixel and one past the last to compute
// Global size (n_z, squares across * N_SHARES, squares down); groups of N_Z x N_SHARES x 1.
__kernel __attribute__((reqd_work_group_size(N_Z, N_SHARES, 1)))
void back_project(__global const float *restrict rows, __global float *restrict volume,
                  __global const float4 *restrict views, __global const int2 *restrict chords,
                  const float source, const float axis_shift, const float2 first, const float step,
                  const float z_first, const int n_columns, const int n_rows, const int n_angles,
                  const int width, const int height, const int n_z, const int is_first)
{
    __local float patch[COLUMNS * ROWS];
    __local float4 pixels[SIDE * SIDE];  // column and row in the patch, magnification, weight
    __local int corner[2];

    const int in_z = get_local_id(0), share = get_local_id(1);
    const int item = share * N_Z + in_z;
    const int left = get_group_id(1) * SIDE, top = get_group_id(2) * SIDE;
    const int z0 = get_group_id(0) * N_Z;

    // The same for all of the group, so that all or none meet at the barriers below.
    bool seen = false;
    for (int iy = top; iy < min(top + SIDE, height); iy++)
        seen = seen || (chords[iy].x < left + SIDE && chords[iy].y > left);
    if (!seen)
        return;

    float sum[N_PIXELS];
    #pragma unroll
    for (int k = 0; k < N_PIXELS; k++)
        sum[k] = 0.f;

    for (int angle = 0; angle < n_angles; angle++) {
        const float4 view = views[angle];
        barrier(CLK_LOCAL_MEM_FENCE);
        if (item == 0) {
            // Columns and rows are extreme at corners of the square and ends of the columns.
            float low_u = INFINITY, low_v = INFINITY;
            for (int k = 0; k < 4; k++) {
                const float x = first.x + (left + (k & 1) * (SIDE - 1)) * step;
                const float y = first.y + (top + (k >> 1) * (SIDE - 1)) * step;
                const float magnified = source / (source + y * view.x - x * view.y);
                const float u = magnified * (x * view.x + y * view.y + axis_shift) + view.z;
                const float v = magnified * (z_first + z0);
                low_u = fmin(low_u, u);
                low_v = fmin(low_v, v);
            }
            corner[0] = (int)floor(low_u);
            corner[1] = (int)floor(low_v + view.w);
        }
        barrier(CLK_LOCAL_MEM_FENCE);
        const int first_column = corner[0], first_row = corner[1];
        for (int k = item; k < SIDE * SIDE; k += N_ITEMS) {
            const float x = first.x + (left + k % SIDE) * step;
            const float y = first.y + (top + k / SIDE) * step;
            const float magnified = source / (source + y * view.x - x * view.y);
            const float u = magnified * (x * view.x + y * view.y + axis_shift) + view.z;
            const float v = magnified * (z_first + z0) + view.w;
            pixels[k] = (float4)(u - first_column, v - first_row, magnified, magnified * magnified);
        }
        for (int k = item; k < COLUMNS * ROWS; k += N_ITEMS) {
            // Squares that reach beyond the mask may reach beyond the rows; those are not kept.
            const int column = clamp(first_column + k / ROWS, 0, n_columns - 1);
            const int row = clamp(first_row + k % ROWS, 0, n_rows - 1);
            patch[k] = rows[((size_t)angle * n_columns + column) * n_rows + row];
        }
        barrier(CLK_LOCAL_MEM_FENCE);
        #pragma unroll
        for (int k = 0; k < N_PIXELS; k++) {
            const float4 pixel = pixels[share * N_PIXELS + k];
            const float v = pixel.y + in_z * pixel.z;
            const int column = clamp((int)pixel.x, 0, COLUMNS - 2);
            const int row = clamp((int)v, 0, ROWS - 2);
            const float f = pixel.x - column, g = v - row;
            __local const float *q = patch + column * ROWS + row;
            const float one = q[0] + g * (q[1] - q[0]);
            const float next = q[ROWS] + g * (q[ROWS + 1] - q[ROWS]);
            sum[k] = pixel.w * (one + f * (next - one)) + sum[k];
        }
    }
    #pragma unroll
    for (int k = 0; k < N_PIXELS; k++) {
        const int pixel = share * N_PIXELS + k;
        const int ix = left + pixel % SIDE, iy = top + pixel / SIDE;
        if (iy >= height || ix < chords[iy].x || ix >= chords[iy].y)
            continue;
        __global float *voxel = volume + ((size_t)iy * width + ix) * n_z + z0 + in_z;
        *voxel = is_first ? sum[k] : *voxel + sum[k];
    }
}
