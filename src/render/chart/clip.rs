//! Cuts segments at the frame of a figure, by Liang and Barsky's algorithm.

/// A point in the units of the data, or on the page.
pub type Point = (f64, f64);

/// The part of the segment from `from` to `to` inside a rectangle, which is given by its two
/// ranges. `None` if no part is inside, or an end is not finite.
///
/// # Equation
/// The segment is `from + t (to - from)` with `0 ≤ t ≤ 1`. Each side of the rectangle bounds `t`
/// from below if the segment enters there, and from above if it leaves there. The remaining
/// interval is the part inside.
#[must_use]
pub fn clipped(from: Point, to: Point, x: (f64, f64), y: (f64, f64)) -> Option<(Point, Point)> {
    if ![from.0, from.1, to.0, to.1].into_iter().all(f64::is_finite) {
        return None;
    }
    let (run, rise) = (to.0 - from.0, to.1 - from.1);
    let sides =
        [(-run, from.0 - x.0), (run, x.1 - from.0), (-rise, from.1 - y.0), (rise, y.1 - from.1)];
    let (mut enters, mut leaves) = (0.0_f64, 1.0_f64);
    for (outward, distance) in sides {
        if outward < 0.0 {
            enters = enters.max(distance / outward);
        } else if outward > 0.0 {
            leaves = leaves.min(distance / outward);
        } else if distance < 0.0 {
            return None;
        }
    }
    let at = |t: f64| ((from.0 + t * run).clamp(x.0, x.1), (from.1 + t * rise).clamp(y.0, y.1));
    (enters <= leaves).then(|| (at(enters), at(leaves)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{Strategy, prop_assert, proptest};

    use super::*;

    const UNIT: (f64, f64) = (0.0, 1.0);

    #[test]
    fn what_leaves_the_rectangle_is_cut_where_it_leaves() {
        let cut = |from, to| clipped(from, to, UNIT, UNIT);
        assert_eq!(cut((0.25, 0.5), (0.75, 0.5)), Some(((0.25, 0.5), (0.75, 0.5))), "inside");
        assert_eq!(cut((-1.0, -1.0), (2.0, 2.0)), Some(((0.0, 0.0), (1.0, 1.0))), "corners");
        assert_eq!(cut((0.0, -0.5), (1.0, 1.5)), Some(((0.25, 0.0), (0.75, 1.0))), "steep");
        assert_eq!(cut((1.0, 1.5), (0.0, -0.5)), Some(((0.75, 1.0), (0.25, 0.0))), "turned");
        assert_eq!(cut((0.5, -3.0), (0.5, 7.0)), Some(((0.5, 0.0), (0.5, 1.0))), "upright");
        assert_eq!(cut((-3.0, 1.0), (7.0, 1.0)), Some(((0.0, 1.0), (1.0, 1.0))), "on a side");
    }

    #[test]
    fn what_is_outside_or_not_finite_is_not_drawn() {
        let cut = |from, to| clipped(from, to, UNIT, UNIT);
        assert_eq!(cut((0.0, 1.5), (1.0, 1.1)), None, "above");
        assert_eq!(cut((-1.0, 0.5), (0.5, 2.5)), None, "past a corner");
        assert_eq!(cut((2.0, 0.0), (2.0, 1.0)), None, "beside");
        for odd in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(cut((0.0, odd), (1.0, 0.5)), None, "{odd}");
        }
    }

    proptest! {
        /// Both ends are in the rectangle and on the line through the segment. A point of the
        /// segment inside the rectangle is never cut off.
        #[test]
        fn the_part_inside_is_all_of_it_and_nothing_else(
            (a, b, c, d) in (-9.0..9.0, -9.0..9.0, -9.0..9.0, -9.0..9.0),
            share in (0.0..1.0_f64).prop_map(|share| share * share),
        ) {
            let (from, to) = ((a, b), (c, d));
            let (x, y) = ((-2.0, 3.0), (-1.0, 4.0));
            let middle = (a + share * (c - a), b + share * (d - b));
            let inside = |p: Point| (x.0..=x.1).contains(&p.0) && (y.0..=y.1).contains(&p.1);
            let along = |p: Point| (p.0 - a) * (c - a) + (p.1 - b) * (d - b);
            match clipped(from, to, x, y) {
                None => prop_assert!(!inside(middle)),
                Some((first, last)) => {
                    for end in [first, last] {
                        let off = (end.0 - a) * (d - b) - (end.1 - b) * (c - a);
                        prop_assert!(inside(end) && off.abs() < 1e-9, "{end:?} is {off} off");
                    }
                    let kept = along(first) - 1e-9..=along(last) + 1e-9;
                    prop_assert!(!inside(middle) || kept.contains(&along(middle)));
                }
            }
        }
    }
}
