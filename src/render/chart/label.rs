//! The place of a label beside a line: where it covers neither the line nor a point.

use super::clip::Point;

/// The distance of a label from its line, in pixels.
const GAP: (f64, f64) = (8.0, 6.0);
/// The number of places that are tried along the line.
const N_PLACES: u32 = 17;

/// A rectangle on the page, by its upper left and lower right corner.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rectangle {
    pub start: Point,
    pub end: Point,
}

impl Rectangle {
    /// True if another rectangle is inside.
    fn has(&self, other: &Self) -> bool {
        self.start.0 <= other.start.0
            && self.start.1 <= other.start.1
            && other.end.0 <= self.end.0
            && other.end.1 <= self.end.1
    }

    /// The distance of a point from the rectangle; zero inside.
    fn distance(&self, (x, y): Point) -> f64 {
        let outside = |at: f64, start: f64, end: f64| (start - at).max(at - end).max(0.0);
        let (dx, dy) = (outside(x, self.start.0, self.end.0), outside(y, self.start.1, self.end.1));
        dx.hypot(dy)
    }
}

/// The place beside a line with the largest distance from all points; `None` if the label fits
/// nowhere in the frame. All positions are on the page, and the line goes from left to right.
pub fn beside(
    (from, to): (Point, Point),
    size: (f64, f64),
    frame: &Rectangle,
    points: &[Point],
) -> Option<Rectangle> {
    let rises = to.1 < from.1;
    let mut best: Option<(f64, Rectangle)> = None;
    for place in 1..=N_PLACES {
        let share = f64::from(place) / f64::from(N_PLACES + 1);
        let (x, y) = (from.0 + share * (to.0 - from.0), from.1 + share * (to.1 - from.1));
        // The two corners between which the line does not pass.
        let right = (x + GAP.0, if rises { y + GAP.1 } else { y - GAP.1 - size.1 });
        let left = (x - GAP.0 - size.0, if rises { y - GAP.1 - size.1 } else { y + GAP.1 });
        for start in [right, left] {
            let label = Rectangle { start, end: (start.0 + size.0, start.1 + size.1) };
            let distances = points.iter().map(|point| label.distance(*point));
            let distance = distances.fold(f64::INFINITY, f64::min);
            let is_better = best.is_none_or(|(other, _)| distance > other);
            if is_better && frame.has(&label) {
                best = Some((distance, label));
            }
        }
    }
    best.map(|(_, label)| label)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: Rectangle = Rectangle { start: (0.0, 0.0), end: (600.0, 300.0) };

    #[test]
    fn a_label_is_in_the_frame_and_covers_no_point_and_no_line() {
        let points: Vec<Point> =
            (0..40).map(|at| f64::from(at) * 15.0).map(|x| (x, x / 2.0)).collect();
        for (from, to) in [((0.0, 300.0), (600.0, 0.0)), ((0.0, 0.0), (600.0, 300.0))] {
            let label = beside((from, to), (80.0, 14.0), &FRAME, &points).expect("a place");
            assert!(FRAME.has(&label), "{label:?}");
            assert!(points.iter().all(|point| label.distance(*point) > 5.0), "{label:?}");
            for step in 0..=600 {
                let share = f64::from(step) / 600.0;
                let on = (600.0 * share, from.1 + share * (to.1 - from.1));
                assert!(label.distance(on) > 0.0, "{label:?} covers the line at {on:?}");
            }
        }
        assert_eq!(beside(((0.0, 0.0), (9.0, 9.0)), (700.0, 14.0), &FRAME, &points), None);
    }
}
