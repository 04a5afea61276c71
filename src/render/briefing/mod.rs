//! The report of one month as an HTML page: self-contained, without scripts, made to be printed.
//!
//! ```text
//! Briefing ─▶ sentences ─▶ figures ─▶ charts (SVG) ─▶ what moved ─▶ method and claims ─▶ one page
//! ```

mod alerts;
mod numbers;

use super::chart::{RowMark, RowsPlot, YearsPlot, monthly, rows};
use alerts::alerts;
use numbers::{capital, cells, count, dash, escaped, float, number, part, percent, points, signed};

use crate::domain::span::{Span, SpanAt};
use crate::effect::{EffectRow, News, PARTS, STEPS};
use crate::reader::briefing::{Briefing, UnitFigures};
use crate::reader::names::{Language, Names, PlaceKind};
use crate::tables::periods;

/// The largest number of rows of a chart.
const ROWS_MAX: usize = 15;
/// The smallest number of continuing exporters of a unit that is compared with others.
const CONTINUING_MIN: u64 = 10;
/// The units that a sentence names at each end.
const NAMED: usize = 3;
/// The normal quantile of a 95 % interval.
const NORMAL_95: f64 = 1.96;

const STYLE: &str = "\
@page{size:A4;margin:16mm 15mm}
*{box-sizing:border-box}
body{margin:0 auto;max-width:820px;padding:28px 20px;color:#15202b;background:#fff;\
font:15px/1.6 Helvetica,Arial,'Noto Sans CJK SC','Source Han Sans SC','Microsoft YaHei',sans-serif}
header{border-top:3px solid #0b6b6b;padding-top:14px}
.kicker{color:#475361;font-size:13px;margin:0}
h1{font-size:26px;line-height:1.3;margin:4px 0 14px}
h2{font-size:17px;margin:30px 0 8px;border-bottom:1px solid #d5dbe0;padding-bottom:4px}
ol{padding-left:1.4em;margin:0}
ol li{margin:6px 0;font-size:16px}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th{font-weight:400;color:#475361;font-size:13px;text-align:right;border-bottom:1px solid #8b95a0}
th:first-child,td:first-child{text-align:left}
td{text-align:right;padding:4px 0 4px 10px;border-bottom:1px solid #e9edf0}
tr.sum td{font-weight:700;border-top:1px solid #8b95a0}
td:first-child{padding-left:0}
td small{color:#475361}
table.texts td{vertical-align:top}
table.texts td:last-child{white-space:nowrap}
svg{display:block;width:100%;height:auto;margin:10px 0}
.note{color:#475361;font-size:13px;margin:6px 0}
footer{margin-top:30px;border-top:1px solid #d5dbe0;padding-top:8px;color:#475361;font-size:12px}
@media print{svg{width:auto;height:84mm;margin:2mm auto}\
body{padding:0;max-width:none;font-size:11pt}ol li{font-size:11.5pt}\
h2{break-after:avoid}section,tr,svg{break-inside:avoid}}
";

/// A figure: its name in English and Chinese, and its value.
type Figure = (&'static str, &'static str, fn(&UnitFigures) -> Option<f64>);
/// A count: its name in English and Chinese, and its value.
type Count = (&'static str, &'static str, fn(&UnitFigures) -> u64);

/// A report with its language.
struct Report<'r> {
    of: &'r Briefing,
    names: &'r Names,
    language: Language,
}

/// The page.
#[must_use]
pub fn html(of: &Briefing, names: &Names, language: Language) -> String {
    let report = Report { of, names, language };
    let title = report.title();
    let tag = report.text("en", "zh-CN");
    let sections = [
        report.sentences(),
        report.figures(),
        report.charts(),
        report.news(),
        alerts(of.alerts.as_deref(), language),
        report.method(),
    ];
    let body = sections.concat();
    let kicker = report.kicker();
    format!(
        "<!DOCTYPE html>\n<html lang=\"{tag}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>{title}</title>\n\
         <style>\n{STYLE}</style>\n</head>\n<body>\n<header>\n<p class=\"kicker\">{kicker}</p>\n\
         <h1>{title}</h1>\n</header>\n{body}</body>\n</html>\n"
    )
}

impl<'r> Report<'r> {
    fn text<'t>(&self, english: &'t str, chinese: &'t str) -> &'t str {
        match self.language {
            Language::English => english,
            Language::Chinese => chinese,
        }
    }

    fn is_english(&self) -> bool {
        self.language == Language::English
    }

    fn title(&self) -> String {
        // January and February are published together.
        let month = SpanAt::new(Span::Month, self.of.month, self.of.joint);
        let shown = match month {
            Some(at) => periods::span(at, self.language),
            None => periods::month(self.of.month, self.language),
        };
        match self.language {
            Language::English => format!("Report for {shown}"),
            Language::Chinese => format!("{shown}月报"),
        }
    }

    fn kicker(&self) -> String {
        let vintage = self.of.vintage;
        match self.language {
            Language::English => format!("Spillover monitor, monthly report · vintage {vintage}"),
            Language::Chinese => format!("外溢监测月报 · 版本 {vintage}"),
        }
    }

    /// The months that are compared.
    fn span(&self) -> String {
        periods::span(self.of.at, self.language)
    }

    fn dollars(&self, cents: i128) -> String {
        // An amount is below 2^53 dollars, and is shown with four digits.
        let dollars = cents.to_string().parse::<f64>().unwrap_or_default() / 100.0;
        let units: &[(f64, &str)] = match self.language {
            Language::English => &[(1e9, " bn"), (1e6, " m"), (1e3, " k")],
            Language::Chinese => &[(1e8, "亿"), (1e4, "万")],
        };
        let found = units.iter().find(|(size, _)| dollars >= *size);
        let (size, unit) = found.copied().unwrap_or((1.0, ""));
        let shown = format!("{}{unit}", number(dollars / size, 2));
        match self.language {
            Language::English => format!("USD {shown}"),
            Language::Chinese => format!("{shown}美元"),
        }
    }

    fn name(&self, kind: PlaceKind, code: &'r str) -> &'r str {
        self.names.name(kind, code, self.language).unwrap_or(code)
    }

    /// The effect of the nation at the month.
    fn effect(&self) -> Option<&EffectRow> {
        self.of.effects.as_ref()?.rows.first()
    }

    /// The growth of the units with the highest and the lowest growth.
    fn ends(&self, units: &'r [UnitFigures], kind: PlaceKind) -> Option<[String; 2]> {
        let is_compared = |of: &&UnitFigures| of.n_continuing >= CONTINUING_MIN;
        let growth = |of: &'r UnitFigures| Some((self.name(kind, &of.key), of.growth?));
        let mut all: Vec<_> = units.iter().filter(is_compared).filter_map(growth).collect();
        if all.len() < 2 * NAMED {
            return None;
        }
        all.sort_by(|a, b| b.1.total_cmp(&a.1));
        let shown = |(name, growth): &(&str, f64)| format!("{name} {}", signed(points(*growth), 1));
        let list = |of: Vec<String>| of.join(self.text(", ", "、"));
        let high = all.iter().take(NAMED).map(shown).collect();
        let low = all.iter().rev().take(NAMED).map(shown).collect();
        Some([list(high), list(low)])
    }

    fn sentences(&self) -> String {
        let mut all: Vec<String> = Vec::new();
        if let Some(now) = self.of.now() {
            all.extend(self.growth_sentence(now));
            all.extend(self.value_sentence(now));
            all.extend(now.affiliate_growth.map(|growth| {
                let growth = signed(points(growth), 1);
                if self.is_english() {
                    format!("Exporters in the cities of other plants grew {growth} log points.")
                } else {
                    format!("企业其他工厂所在城市的出口企业增长 {growth} 对数点。")
                }
            }));
        }
        all.extend(self.effect_sentence());
        let places = [
            (&self.of.cities, PlaceKind::City, "cities", "城市"),
            (&self.of.countries, PlaceKind::Country, "destinations", "目的地"),
        ];
        for (units, kind, english, chinese) in places {
            let Some([high, low]) = self.ends(units, kind) else { continue };
            all.push(match self.language {
                Language::English => format!("Highest {english}: {high}; lowest: {low}."),
                Language::Chinese => format!("增长最高的{chinese}：{high}；最低：{low}。"),
            });
        }
        let items: Vec<String> =
            all.iter().map(|of| format!("<li>{}</li>\n", escaped(of))).collect();
        let items = items.concat();
        format!("<section>\n<ol>\n{items}</ol>\n</section>\n")
    }

    fn growth_sentence(&self, now: &UnitFigures) -> Option<String> {
        let (span, growth) = (self.span(), signed(points(now.growth?), 1));
        let error = now.growth_se.map(|error| number(NORMAL_95 * points(error), 1));
        let before = self.of.at(self.of.month.year_before()).and_then(|of| of.growth);
        let before = before.map(|growth| signed(points(growth), 1));
        Some(if self.is_english() {
            let error = error.map(|error| format!(" (±{error}, 95 %)")).unwrap_or_default();
            let before = before.map(|of| format!("; {of} in the same months a year ago"));
            let before = before.unwrap_or_default();
            let span = capital(&span);
            format!(
                "{span}: continuing exporters grew {growth} log points on average{error}{before}."
            )
        } else {
            let error = error.map(|error| format!("（95% 误差 ±{error}）")).unwrap_or_default();
            let before = before.map(|of| format!("，上年同期为 {of}")).unwrap_or_default();
            format!("{span}，持续出口企业平均增长 {growth} 对数点{error}{before}。")
        })
    }

    fn value_sentence(&self, now: &UnitFigures) -> Option<String> {
        let (value, growth) =
            (self.dollars(now.export_cents), signed(percent(now.value_growth?), 1));
        let [entrants, exits] = [now.n_entrants, now.n_exits].map(count);
        Some(if self.is_english() {
            format!(
                "Exports {value}, value growth {growth} %; {entrants} relations entered, {exits} \
                 left."
            )
        } else {
            format!("出口额 {value}，增长 {growth}%；进入 {entrants} 个出口关系，退出 {exits} 个。")
        })
    }

    fn effect_sentence(&self) -> Option<String> {
        let of = self.effect()?;
        let half = of.band.and_then(|band| band.half_width);
        let band = half.map(|half| (of.effect - half, of.effect + half)).or(of.interval);
        let effect = signed(points(of.effect), 2);
        let ends = band.map(|(low, high)| [low, high].map(|end| number(points(end), 2)));
        Some(match (self.is_english(), ends) {
            (true, Some([low, high])) => format!(
                "Model-implied contribution {effect} log points, 95 % band {low} to {high}."
            ),
            (true, None) => format!("Model-implied contribution {effect} log points."),
            (false, Some([low, high])) => {
                format!("模型隐含贡献 {effect} 对数点，95% 区间 {low} 至 {high}。")
            }
            (false, None) => format!("模型隐含贡献 {effect} 对数点。"),
        })
    }

    /// The figures of the month beside those of the month and the year before.
    fn figures(&self) -> String {
        let Some(now) = self.of.now() else { return String::new() };
        let month = self.of.month;
        let years = self.of.at(month.year_before());
        let months = (month.month() > 1).then(|| {
            let earlier = self.of.nation.iter().filter(|of| of.month < month.as_yyyymm());
            earlier.max_by_key(|of| of.month).filter(|of| of.month / 100 == now.month / 100)
        });
        let months = months.flatten();
        let head = [
            self.text("Indicator", "指标"),
            self.text("Value", "数值"),
            self.text("on last month", "较上月"),
            self.text("on a year ago", "较上年同期"),
        ];
        let mut lines = vec![cells("th", &head.map(str::to_owned))];
        let unit = self.text(" log pts", " 对数点");
        let growth: [Figure; 3] = [
            ("Local growth", "本地增长", |of| of.growth.map(points)),
            ("Growth in affiliate cities", "异地增长", |of| of.affiliate_growth.map(points)),
            ("Growth of value", "出口额增长", |of| of.value_growth.map(percent)),
        ];
        for (place, (english, chinese, figure)) in growth.into_iter().enumerate() {
            let unit = if place == 2 { self.text(" %", "%") } else { unit };
            let shown = figure(now).map(|value| format!("{}{unit}", signed(value, 1)));
            let change = |other: Option<&UnitFigures>| {
                let change = figure(now).zip(other.and_then(figure)).map(|(now, then)| now - then);
                change.map_or_else(dash, |change| signed(change, 1))
            };
            let name = self.text(english, chinese).to_owned();
            let row = [name, shown.unwrap_or_else(dash), change(months), change(years)];
            lines.push(cells("td", &row));
        }
        let counts: [Count; 4] = [
            ("Exporting relations", "出口关系", |of| of.n_exporters),
            ("Continuing relations", "持续出口关系", |of| of.n_continuing),
            ("Entrants", "进入", |of| of.n_entrants),
            ("Exits", "退出", |of| of.n_exits),
        ];
        for (english, chinese, of) in counts {
            let change = |other: Option<&UnitFigures>| match other.map(of) {
                Some(then) if then > 0 => {
                    let [now, then] = [of(now), then].map(float);
                    format!("{}{}", signed(100.0 * (now / then - 1.0), 1), self.text(" %", "%"))
                }
                _ => dash(),
            };
            let name = self.text(english, chinese).to_owned();
            lines.push(cells("td", &[name, count(of(now)), change(months), change(years)]));
        }
        let title = self.text("Figures of the month", "主要指标");
        let note = escaped(&capital(&self.span()));
        let comma = self.text(", ", "，");
        let against = self.text("against the same months a year earlier", "与上年同期比");
        format!(
            "<section>\n<h2>{title}</h2>\n<p class=\"note\">{note}{comma}{against}</p>\n<table>\n{}\
             </table>\n</section>\n",
            lines.concat()
        )
    }

    fn charts(&self) -> String {
        let nation = self.of.nation.iter();
        let of_nation: Vec<(i32, i32, f64)> = nation
            .filter(|of| of.month <= self.of.month.as_yyyymm())
            .filter_map(|of| Some((part(of.month / 100), part(of.month % 100), points(of.growth?))))
            .collect();
        let span = self.span();
        let unit = self.text("log points", "对数点");
        let growth = monthly(&YearsPlot {
            title: self.text("Local growth", "本地增长"),
            subtitle: self.text(
                "Mean log growth of continuing exporters. Grey: earlier years",
                "持续出口企业对数增长的平均值。灰线为以往各年",
            ),
            x_label: self.text("month", "月份"),
            y_label: unit,
            points: &of_nation,
        });
        let destinations = self.rows_of(&self.of.countries, PlaceKind::Country);
        let cities = self.rows_of(&self.of.cities, PlaceKind::City);
        let title = |english: &str, chinese: &str| match self.language {
            Language::English => format!("Local growth by {english}, {span}"),
            Language::Chinese => format!("各{chinese}的本地增长，{span}"),
        };
        let subtitle =
            self.text("The largest by value, with 95 % intervals", "出口额最大者；线为 95% 区间");
        let plot = |title: &str, all: &[(String, RowMark)]| {
            rows(&RowsPlot { title, subtitle, x_label: unit, rows: all })
        };
        let drawn = [
            growth,
            plot(&title("destination", "目的地"), &destinations),
            plot(&title("city", "城市"), &cities),
        ];
        let drawn = drawn.into_iter().filter_map(Result::ok);
        let drawn: Vec<String> = drawn.map(|svg| format!("<section>\n{svg}</section>\n")).collect();
        drawn.concat()
    }

    /// The growth of the units with the largest exports.
    fn rows_of(&self, units: &'r [UnitFigures], kind: PlaceKind) -> Vec<(String, RowMark)> {
        let mut largest: Vec<&UnitFigures> =
            units.iter().filter(|of| of.growth.is_some()).collect();
        largest.sort_by(|a, b| b.export_cents.cmp(&a.export_cents).then_with(|| a.key.cmp(&b.key)));
        largest.truncate(ROWS_MAX);
        let row = |of: &&'r UnitFigures| {
            let at = points(of.growth?);
            let half = of.growth_se.map(|error| NORMAL_95 * points(error));
            let interval = half.map(|half| (at - half, at + half));
            let name = self.name(kind, &of.key).to_owned();
            Some((name, RowMark::Point { at, interval, band: None }))
        };
        largest.iter().filter_map(row).collect()
    }

    /// The change of the effect since the publication before.
    fn news(&self) -> String {
        let is_newest = self.of.news.as_ref().is_none_or(|of| of.vintages[1] == self.of.vintage);
        let title = if is_newest {
            self.text("What moved since the last publication", "本次发布改变了什么")
        } else {
            self.text("What moved when the month was published", "该月发布时改变了什么")
        };
        let Some((news, unit)) = self.of.news.as_ref().and_then(|of| Some((of, of.units.first()?)))
        else {
            let none = self.text(
                "There is no change of the model-implied contribution to take apart.",
                "没有可分解的隐含贡献变动。",
            );
            return format!("<section>\n<h2>{title}</h2>\n<p>{none}</p>\n</section>\n");
        };
        let mut lines = vec![cells("th", &self.news_header())];
        for (place, step) in STEPS.iter().enumerate() {
            let parts = unit.steps[place];
            lines.push(cells("td", &Self::news_row(self.step(step), &parts)));
        }
        let sums: Vec<f64> =
            (0..PARTS.len()).map(|part| unit.steps.iter().map(|of| of[part]).sum()).collect();
        let sum = cells("td", &Self::news_row(self.text("Change", "变动"), &sums));
        lines.push(sum.replacen("<tr>", "<tr class=\"sum\">", 1));
        let note = self.news_note(news);
        format!(
            "<section>\n<h2>{title}</h2>\n<p class=\"note\">{note}</p>\n<table>\n{}</table>\n\
             </section>\n",
            lines.concat()
        )
    }

    fn news_note(&self, news: &News) -> String {
        let [before, after] = news.vintages;
        match self.language {
            Language::English => format!(
                "Vintage {before} to {after}, model-implied contribution, log points; steps in \
                 this order add up exactly"
            ),
            Language::Chinese => {
                format!("版本 {before} 到 {after}，隐含贡献，对数点；各步按此顺序，合计精确")
            }
        }
    }

    fn news_header(&self) -> Vec<String> {
        let part = |name: &&str| {
            match *name {
                "indicators" => self.text("Indicators", "指标"),
                "weights" => self.text("Weights", "权重"),
                _ => self.text("Coefficients", "系数"),
            }
            .to_owned()
        };
        let first = std::iter::once(self.text("Step", "步骤").to_owned());
        let last = std::iter::once(self.text("Sum", "合计").to_owned());
        first.chain(PARTS.iter().map(part)).chain(last).collect()
    }

    fn news_row(name: &str, parts: &[f64]) -> Vec<String> {
        let sum: f64 = parts.iter().sum();
        let figures = parts.iter().chain([&sum]).map(|of| signed(points(*of), 3));
        std::iter::once(name.to_owned()).chain(figures).collect()
    }

    fn step(&self, name: &str) -> &'static str {
        let [english, chinese] = match name {
            "late" => ["Late records", "迟报记录"],
            "amended" => ["Amended, withdrawn, replaced", "修改、撤销、替换"],
            "closed" => ["Months closed", "新关账的月份"],
            _ => ["Coefficients", "系数"],
        };
        if self.is_english() { english } else { chinese }
    }

    fn method(&self) -> String {
        let title = self.text("Method and limits", "方法与限度");
        let method = self.text(
            "Growth is the mean log growth of plants with exports in the period and in the same \
             months a year earlier, equation (L4); affiliate growth is equation (13). Figures come \
             from customs records and are revised by late and amended records; the vintage fixes \
             all of them.",
            "增长为本期与上年同期均有出口的工厂对数增长的均值，式（L4）；异地增长见式（13）。数字来自海关进出口记录，\
             随迟报与修改而修订；版本号固定全部数字。",
        );
        let claim = self.of.effects.as_ref().map(|of| of.claim.sentence(self.language));
        let claim = claim.map(|of| format!("<p>{}</p>\n", escaped(&of))).unwrap_or_default();
        let of = self.of.vintage;
        let at = self.of.committed_at.map(|at| at.strftime("%Y-%m-%d %H:%M UTC").to_string());
        let at = at.map(|at| format!(" · {at}")).unwrap_or_default();
        let source = match self.language {
            Language::English => format!("Source: customs records, vintage {of}{at} · spillover"),
            Language::Chinese => format!("来源：海关进出口记录，版本 {of}{at} · spillover"),
        };
        format!(
            "<section>\n<h2>{title}</h2>\n<p>{method}</p>\n{claim}</section>\n\
             <footer>{source}</footer>\n"
        )
    }
}
