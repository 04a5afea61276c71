//! SVG as PNG, with the fonts of the system.
//!
//! Charts have Chinese labels, so a system without a font for them draws no picture: boxes in place
//! of characters would be wrong, and nobody would notice on the server.

use std::sync::{Arc, LazyLock};

use resvg::tiny_skia::{Color, Pixmap, Transform};
use resvg::usvg::fontdb::{Database, Family, Query};
use resvg::usvg::{self, Options, Tree};

/// Fonts with Chinese characters, in the order of preference.
const FONTS: [&str; 12] = [
    "Noto Sans CJK SC",
    "Source Han Sans SC",
    "Noto Sans SC",
    "Microsoft YaHei",
    "PingFang SC",
    "WenQuanYi Zen Hei",
    "WenQuanYi Micro Hei",
    "SimHei",
    "SimSun",
    "Droid Sans Fallback",
    "Noto Serif CJK SC",
    "AR PL UMing CN",
];
/// The package with such a font on Debian and Ubuntu.
pub const PACKAGE: &str = "fonts-noto-cjk";
/// Pixels of the picture by pixel of the chart.
const SCALE: f32 = 2.0;

/// The fonts of the system.
static SYSTEM: LazyLock<Arc<Database>> = LazyLock::new(|| {
    let mut fonts = Database::new();
    fonts.load_system_fonts();
    Arc::new(fonts)
});

/// The reason why there is no picture.
#[derive(Debug, thiserror::Error)]
pub enum PictureError {
    /// The system has no font with Chinese characters.
    #[error("the server has no font with Chinese characters; install {PACKAGE}, or ask for .svg")]
    NoFont,
    /// The chart is no SVG that can be drawn.
    #[error("the chart cannot be drawn: a defect, please report it")]
    Chart(#[from] usvg::Error),
    /// The picture cannot be made.
    #[error("the picture cannot be made: {0}")]
    Picture(String),
}

/// A chart as PNG.
///
/// # Errors
/// [`PictureError`] if the system has no font with Chinese characters.
pub fn png(svg: &str) -> Result<Vec<u8>, PictureError> {
    drawn(svg, &SYSTEM)
}

fn drawn(svg: &str, fonts: &Arc<Database>) -> Result<Vec<u8>, PictureError> {
    let families = FONTS.map(Family::Name);
    let query = Query { families: &families, ..Query::default() };
    if fonts.query(&query).is_none() {
        return Err(PictureError::NoFont);
    }
    let options = Options { fontdb: Arc::clone(fonts), ..Options::default() };
    let tree = Tree::from_str(svg, &options)?;
    let size = tree.size().to_int_size().scale_by(SCALE);
    let pixels = size.and_then(|size| Pixmap::new(size.width(), size.height()));
    let mut pixels = pixels.ok_or_else(|| PictureError::Picture("it has no size".to_owned()))?;
    pixels.fill(Color::WHITE);
    resvg::render(&tree, Transform::from_scale(SCALE, SCALE), &mut pixels.as_mut());
    pixels.encode_png().map_err(|error| PictureError::Picture(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHART: &str = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"60\" height=\"40\" \
                         viewBox=\"0 0 60 40\"><text x=\"10\" y=\"30\" font-family=\"'Noto Sans \
                         CJK SC', sans-serif\" font-size=\"24\">";

    #[test]
    fn a_system_without_a_chinese_font_names_the_package() {
        let none = Arc::new(Database::new());
        let error = drawn(&format!("{CHART}口</text></svg>"), &none).expect_err("no font");
        assert!(error.to_string().contains("install fonts-noto-cjk"), "{error}");
    }

    #[test]
    fn a_chinese_character_is_drawn_and_differs_from_another() {
        let picture = |text: &str| png(&format!("{CHART}{text}</text></svg>")).expect("a font");
        let [one, other, none] = ["国", "口", ""].map(picture);
        assert!(one.starts_with(b"\x89PNG\r\n") && one != other && one != none);
    }
}
