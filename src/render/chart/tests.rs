use super::*;

#[test]
fn figures_are_drawn_and_none_without_points() {
    let points = [(0.0, 1.0), (0.5, 1.5), (1.0, 1.9)];
    let plot = ScatterPlot {
        title: "t",
        x_label: "growth",
        y_label: "exports",
        points: &points,
        line: (1.0, 1.0),
        line_label: "slope 1",
        subtitle: "N = 3.",
    };
    let svg = scatter(&plot).expect("a figure");
    assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"));
    assert_eq!(svg.matches("<circle").count(), 3);
    assert!(["growth", "exports", "N = 3.", "slope 1"].iter().all(|text| svg.contains(text)));
    scatter(&ScatterPlot { points: &[], ..plot }).expect_err("no point");
    let years = [year(2001, 0.1, 0.2, 0.3), year(2002, 0.15, 0.2, 0.25)];
    let plot = path_plot("t", &years);
    let svg = path(&plot).expect("a figure");
    assert!(svg.contains("2001") && svg.contains("2002") && svg.contains("0.2 here"));
    path(&PathPlot { points: &[], ..plot }).expect_err("no estimate");
}

fn year(year: i32, low: f64, estimate: f64, high: f64) -> PathPoint {
    PathPoint { year, month: 12, interval: (low, high), estimate }
}

fn path_plot<'p>(title: &'p str, points: &'p [PathPoint]) -> PathPlot<'p> {
    let (subtitle, x_label, y_label, last_label) = ("95 % intervals", "year", "b", "0.2 here");
    PathPlot { title, subtitle, x_label, y_label, points, last_label }
}

/// The values of an attribute, as numbers, of all elements of a kind.
fn attribute(svg: &str, element: &str, name: &str) -> Vec<f64> {
    let number = |line: &str| {
        let value = line.split(&format!(" {name}=\"")).nth(1)?.split('"').next()?;
        value.parse().ok()
    };
    svg.lines()
        .filter(|line| line.starts_with(&format!("<{element} ")))
        .filter_map(number)
        .collect()
}

/// The labelled ticks along an axis, as `(pixel, value)`.
fn ticks(svg: &str, anchor: &str, name: &str) -> Vec<(f64, f64)> {
    let is_tick = |line: &&str| line.starts_with("<text") && line.contains("font-size=\"12\"");
    let of_axis = svg.lines().filter(is_tick).filter(|line| line.contains(anchor));
    let tick = |line: &str| {
        let label = line.split('>').nth(1)?.split('<').next()?;
        Some((attribute(line, "text", name)[0], label.replace('\u{2212}', "-").parse().ok()?))
    };
    of_axis.filter_map(tick).collect()
}

/// The data's units for each pixel, from the first and the last tick.
fn units(ticks: &[(f64, f64)]) -> f64 {
    let (first, last) = (ticks[0], ticks[ticks.len() - 1]);
    (last.1 - first.1) / (last.0 - first.0)
}

/// The slope of the drawn line, measured on the page; `None` if no line is drawn.
fn slope_drawn(svg: &str) -> Option<f64> {
    let line = svg.lines().find(|line| line.starts_with("<polyline"))?;
    let points = line.split("points=\"").nth(1)?.split('"').next()?;
    let numbers: Vec<f64> =
        points.split([' ', ',']).map(|number| number.parse().expect("a coordinate")).collect();
    let [x1, y1, x2, y2] = numbers[..] else { panic!("not two points: {line}") };
    let (x, y) = (ticks(svg, "middle", "x"), ticks(svg, "\"end\"", "y"));
    Some((y2 - y1) * units(&y) / ((x2 - x1) * units(&x)))
}

/// A figure of points with a line.
fn drawn(points: &[(f64, f64)], line: (f64, f64)) -> String {
    let (x_label, y_label) = ("growth", "exports");
    let (title, subtitle, line_label) = ("t", "", "line");
    let plot = ScatterPlot { title, subtitle, x_label, y_label, points, line, line_label };
    let svg = scatter(&plot).expect("a figure");
    assert!(!svg.contains("NaN") && !svg.contains("inf") && !svg.contains("-0.0"), "{svg}");
    let [x, y] = ["cx", "cy"].map(|name| attribute(&svg, "circle", name));
    assert!(x.iter().all(|x| (0.0..=720.0).contains(x)), "{svg}");
    assert!(y.iter().all(|y| (0.0..=480.0).contains(y)), "{svg}");
    svg
}

#[test]
fn the_slope_on_the_page_is_the_slope_of_the_regression() {
    let flat: Vec<(f64, f64)> = (0..20).map(|i| (f64::from(i) / 40.0 - 0.2, 12.1)).collect();
    let around: Vec<(f64, f64)> = flat.iter().map(|(x, _)| (*x, 12.0 + 0.4 * x.sin())).collect();
    let slopes = [400.0, 1.82, -1.82, 0.3, -25.0, 1e-3, 0.0];
    for (points, slopes) in [(&flat, &slopes[..]), (&around, &slopes[1..])] {
        for &slope in slopes {
            let svg = drawn(points, (slope, 12.05));
            let measured = slope_drawn(&svg).expect("a line");
            // A hundredth of a pixel, relative to the few pixels of a steep line.
            let tolerance = 2e-3_f64.max(slope.abs() * 2e-3);
            assert!((measured - slope).abs() < tolerance, "{measured} for {slope}:\n{svg}");
        }
    }
}

#[test]
fn a_line_that_misses_the_points_or_does_not_exist_is_not_drawn() {
    let points = [(0.0, 1.0), (1.0, 2.0)];
    for line in [(1.0, 9.0), (f64::NAN, 1.0), (1e308, 1e308), (0.0, f64::INFINITY)] {
        assert_eq!(slope_drawn(&drawn(&points, line)), None, "{line:?}");
    }
}

#[test]
fn points_that_are_alone_equal_huge_tiny_or_not_finite_are_drawn_or_left_out() {
    let sets: [(&[(f64, f64)], usize); 7] = [
        (&[(0.0, 0.0)], 1),
        (&[(-3.5, 12.0); 4], 4),
        (&[(1e300, -1e300), (-1e300, 1e300)], 2),
        (&[(1e-300, 2e-300), (5e-324, 1.0)], 2),
        (&[(0.1, 1e9), (0.2, 1e9 + 1e-7)], 2),
        (&[(f64::NAN, 1.0), (1.0, f64::INFINITY), (2.0, 3.0)], 1),
        (&[(-0.0, -0.0), (0.0, 1e-12)], 2),
    ];
    for (points, n_drawn) in sets {
        let svg = drawn(points, (0.0, points[0].1));
        assert_eq!(svg.matches("<circle").count(), n_drawn, "{points:?}");
    }
    let nowhere = [(f64::NAN, 1.0), (1.0, f64::INFINITY)];
    let (x_label, y_label) = ("", "");
    let (title, subtitle, line_label, points) = ("", "", "", &nowhere);
    let line = (0.0, 0.0);
    let plot = ScatterPlot { title, subtitle, x_label, y_label, points, line, line_label };
    scatter(&plot).expect_err("no point");
}

#[test]
fn intervals_end_at_the_frame_where_they_have_no_end() {
    let points = [
        year(2009, f64::NEG_INFINITY, 0.2, f64::INFINITY),
        year(2010, -0.1, 0.2, 0.5),
        year(2011, f64::NAN, 0.3, f64::NAN),
    ];
    let svg = path(&path_plot("t", &points)).expect("drawn");
    assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
    let ends = ["y1", "y2"].map(|name| attribute(&svg, "line", name));
    let below_title = 20.0;
    for end in ends.iter().flatten().filter(|end| **end > below_title) {
        assert!((FRAME.0..=FRAME.1 + 5.0).contains(end), "{end} is outside the frame:\n{svg}");
    }
    let bars = svg.lines().filter(|line| line.contains("stroke-width=\"1.8\""));
    assert_eq!(bars.count(), 1 + 3, "an interval without ends, and one with both:\n{svg}");
}

#[test]
fn texts_of_a_figure_cannot_break_out_of_it() {
    let title = "<script>&\"\u{1b}[2J\n\u{202e}";
    let points = [year(2001, 0.0, 0.1, 0.2)];
    let plot = PathPlot { y_label: title, ..path_plot(title, &points) };
    let svg = path(&plot).expect("a figure");
    let shown = "&lt;script&gt;&amp;&quot;\\u{1b}[2J\\n\\u{202e}";
    assert_eq!(svg.matches(shown).count(), 3, "{svg}");
    assert!(!svg.contains("<script>") && !svg.contains('\u{1b}') && !svg.contains('\u{202e}'));
}

#[test]
fn numbers_have_a_minus_sign_and_words_keep_their_hyphens() {
    let points = [(-0.3, -1.0), (0.3, -2.0)];
    let svg = drawn(&points, (-1.0, -1.5));
    assert!(svg.contains(">\u{2212}0.2</text>") && !svg.contains(">-"), "{svg}");
    let points = [year(2001, 0.0, 1.0, 2.0)];
    let plot = PathPlot { subtitle: "year-end, -0.5 (-2)", ..path_plot("t", &points) };
    let svg = path(&plot).expect("a figure");
    assert!(svg.contains("year-end, \u{2212}0.5 (\u{2212}2)"), "{svg}");
}

#[test]
fn months_of_a_path_are_pale_marks_between_the_years() {
    let month = |month| PathPoint { month, ..year(2002, 0.1, 0.2, 0.3) };
    let points = [year(2001, 0.1, 0.2, 0.3), month(3), month(6), month(12)];
    let svg = path(&path_plot("t", &points)).expect("a figure");
    let places = attribute(&svg, "circle", "cx");
    let [march, june, first, last] = places[..] else { panic!("{svg}") };
    assert!(first < march && march < june && june < last, "{places:?}");
    assert!(((june - first) - (last - first) / 2.0).abs() < 0.1, "June is in the middle");
    assert_eq!(svg.matches("fill-opacity").count(), 2, "{svg}");
    // A path of months alone has its label at the last of them.
    let alone = path(&path_plot("t", &[month(3), month(6)])).expect("a figure");
    assert!(alone.contains("0.2 here"), "{alone}");
}
