"""Samples of tensorlite.ops.random: structure, shape and dtype are compared."""

from . import FLOATS, T, case

for name in ("rand", "randn"):
    case(name, 2, 3, exact=False)
    case(f"{name}_like", T(2, 3), exact=False, dtypes=FLOATS)
case("randint", 5, (2, 3), exact=False)
case("randint", 1, 5, (2, 3), exact=False)
case("randint_like", T(2, 3), 5, exact=False, dtypes="float32 int64")
case("randperm", 5, exact=False)
case("normal", T(2, 3), T(2, 3, low=0), exact=False)
case("normal", 0.0, T(2, 3, low=0), exact=False)
case("bernoulli", T(2, 3, low=0, high=1), exact=False, dtypes=FLOATS)
case("multinomial", T(5, low=0.1), 3, exact=False)
case("multinomial", T(2, 5, low=0.1), 7, True, exact=False)
case("poisson", T(2, 3, low=0), exact=False)
for name in ("uniform_", "normal_", "random_", "exponential_", "bernoulli_"):
    case(name, T(2, 3), exact=False, dtypes=FLOATS)
