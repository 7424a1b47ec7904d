"""Samples of tensorlite.ops.distance."""

from . import FLOATS, T, case

inf = float("inf")
for p in (0, 0.5, 1, 2, 3, inf):
    case("cdist", T(4, 3), T(5, 3), p, dtypes="float32 float64")
    case("cdist", T(2, 1, 4, 3), T(3, 5, 3), p)
    case("nn.functional.pdist", T(5, 3), p, dtypes="float32 float64")
    case("pairwise_distance", T(5, 3), T(5, 3), p, dtypes="float32 float64")
case("cdist", T(40, 6), T(30, 6), dtypes="float32 float64", rtol=1e-4)
case("cdist", T(40, 6), T(30, 6), compute_mode="donot_use_mm_for_euclid_dist")
case("cdist", T(4, 6), T(3, 6), compute_mode="use_mm_for_euclid_dist", rtol=1e-4)
case("cdist", T(0, 3), T(4, 3))
case("cdist", T(2, 0), T(4, 0))
case("nn.functional.pdist", T(1, 3))
case("cosine_similarity", T(4, 5), T(4, 5), dtypes=FLOATS)
case("cosine_similarity", T(4, 5, 6), T(6), dim=-1, eps=0.1, dtypes="float32 float64")
case("cosine_similarity", T(5), T(5), 0)
case("pairwise_distance", T(4, 5), T(5), eps=0.1, keepdim=True, dtypes="float32 float64 int64")
case("pairwise_distance", T(5), T(5), dtypes="float32 float64")
