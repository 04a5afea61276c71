//! Assigns columns to fields, and detects the forms of their values.

use toml::Value;

use super::aliases;
use super::names::Names;
use super::proposed::{Answers, Proposal};
use super::sample::Sample;
use super::values::{amounts, formats, is_export};
use crate::feed::columns::Field;
use crate::feed::described::described;
use crate::feed::formats::kind::Kind;
use crate::feed::places::{Found, Places, ReferenceTexts, TablesBeside};
use crate::feed::profile::{CityRule, Profile, TextEncoding};
use crate::feed::source::{Discovered, FeedFile};

/// The largest number of files whose encodings are detected.
const FILES_MAX: usize = 24;
/// The largest number of columns in a question.
const CHOICES_MAX: usize = 20;

/// First words of the line of a total or a note.
const FOOTERS: [&str; 9] =
    ["Total", "TOTAL", "合计", "总计", "注", "Note", "Source", "来源", "资料来源"];
/// Codes for all products.
const TOTALS: [&str; 6] = ["TOTAL", "ALL", "合计", "总计", "总值", "WORLD"];

/// The sources of the proposal of fields.
pub(super) struct Fields<'a> {
    pub(super) file: &'a FeedFile,
    pub(super) names: &'a Names,
    pub(super) sample: &'a Sample,
    pub(super) found: &'a Discovered,
    pub(super) tables: &'a TablesBeside,
    pub(super) answers: &'a Answers,
}

impl Fields<'_> {
    /// Adds all entries and questions.
    pub(super) fn tell(&self, to: &mut Proposal) {
        self.text(to);
        let month = self.period(to);
        self.flow(to);
        self.value(to);
        for field in [Field::FirmId, Field::Region, Field::Country] {
            self.column(to, field, true);
        }
        for field in [Field::FirmName, Field::Hs8, Field::TradeMode] {
            self.column(to, field, false);
        }
        self.city(to);
        self.country(to);
        self.totals(to);
        self.revision(to, month);
        self.exclusions(to);
        self.ordinary(to);
    }

    fn choices(&self) -> Vec<String> {
        self.sample.names.iter().take(CHOICES_MAX).cloned().collect()
    }

    /// The column of a field, by an answer or by its name.
    fn at(&self, field: Field) -> Option<usize> {
        let key = format!("columns.{}", field.name());
        let at = |name: &str| self.sample.names.iter().position(|of| of == name);
        match self.answers.get(&key) {
            Some(Value::String(name)) => at(name),
            Some(Value::Integer(number)) => usize::try_from(*number).ok()?.checked_sub(1),
            Some(_) => None,
            None => aliases::columns_of(field, &self.sample.names).first().copied(),
        }
    }

    fn name(&self, at: usize) -> Value {
        if self.sample.has_header {
            return self.sample.names[at].clone().into();
        }
        i64::try_from(at + 1).unwrap_or(i64::MAX).into()
    }

    /// Proposes delimiter, quotes, encoding, header and footer.
    fn text(&self, to: &mut Proposal) {
        let Sample { delimiter, is_quoted, before, has_header, .. } = self.sample;
        to.set("file", "delimiter", delimiter.to_string(), "splits most lines into as many fields");
        let layout = Profile::bundled("canonical").expect("a shipped profile").file;
        let mut encodings = Vec::new();
        let mut is_text = false;
        for file in self.found.files.iter().take(FILES_MAX).chain([self.file]) {
            let Ok(found) = described(file, &layout, u64::MAX) else { continue };
            is_text |= found.kind == Kind::Text;
            encodings.extend(found.encoding);
        }
        encodings.sort_by_key(|encoding| encoding.name());
        encodings.dedup();
        let encoding = match encodings[..] {
            [] => "utf-8".to_owned(),
            [encoding] => String::from(TextEncoding::Label(encoding)),
            _ => "detect".to_owned(),
        };
        let why = match encodings.len() {
            0 if is_text => "the files have ASCII letters only".to_owned(),
            0 => "the format has its own".to_owned(),
            1 => "from the bytes of the files".to_owned(),
            n => format!("files have {n} encodings"),
        };
        to.set("file", "encoding", encoding, &why);
        if !is_quoted {
            to.set("file", "quote", "none", "with quotes, lines do not come apart");
        }
        if !before.is_empty() {
            let n = i64::try_from(before.len()).unwrap_or(0);
            to.set("file", "skip_lines", n, "lines before the header");
        }
        if !has_header {
            to.set("file", "header", false, "the first line has numbers");
        }
        let words: Vec<&str> = FOOTERS
            .into_iter()
            .filter(|word| self.sample.rows.iter().any(|row| row[0].starts_with(word)))
            .collect();
        if !words.is_empty() {
            let pattern = format!("^\"?({})", words.join("|"));
            to.set("file", "footer", pattern, "lines that begin so are no records");
        }
    }

    /// Proposes the month; returns its column and format, if one column has it.
    fn period(&self, to: &mut Proposal) -> Option<(usize, String)> {
        if self.answers.contains_key("period.from") {
            return None;
        }
        let is_month = self.names.n_dates == (1, 1);
        let month = is_month.then_some(self.file.period);
        let answered = self.at(Field::Period);
        let mut columns = aliases::columns_of(Field::Period, &self.sample.names);
        columns.splice(0..0, answered);
        let fitting = columns.into_iter().find_map(|at| {
            let formats = formats(self.sample, at, month);
            (!formats.is_empty()).then_some((at, formats))
        });
        if let Some((at, formats)) = fitting {
            to.set("columns", "period", self.name(at), "by its name, and its texts are months");
            let known = self.answers.get("period.format").and_then(Value::as_str);
            let Some(format) = known.or((formats.len() == 1).then(|| formats[0])) else {
                let choices: Vec<String> = formats.iter().map(ToString::to_string).collect();
                to.ask(
                    "period.format",
                    "The months can be read in several forms: which?",
                    &choices,
                );
                return None;
            };
            to.set("period", "format", format, "all its texts are read so");
            return Some((at, format.to_owned()));
        }
        if let Some((year, month)) = aliases::year_and_month(&self.sample.names) {
            to.set("period", "year", self.name(year), "by its name");
            to.set("period", "month", self.name(month), "by its name");
        } else if is_month {
            to.set("period", "from", "name", "no column has the month; the file's name does");
        } else {
            to.ask("columns.period", "Which column has the month?", &self.choices());
        }
        None
    }

    fn flow(&self, to: &mut Proposal) {
        let Some(at) = self.at(Field::Flow) else {
            if self.names.pattern.contains("{flow}") {
                return;
            }
            if let Some(constant) = self.answers.get("columns.flow") {
                to.set("columns", "flow", constant.clone(), "as answered");
                to.set("flow", "export", vec!["E".to_owned()], "the constant of exports");
                to.set("flow", "import", vec!["I".to_owned()], "the constant of imports");
                return;
            }
            let mut choices = self.choices();
            choices
                .splice(0..0, ["{ constant = \"E\" }", "{ constant = \"I\" }"].map(str::to_owned));
            let text = "No column is known to be the flow: which is it, or are all lines exports \
                        (E) or imports (I)?";
            to.ask("columns.flow", text, &choices);
            return;
        };
        to.set("columns", "flow", self.name(at), "by its name");
        let codes = self.sample.distinct(at).into_iter().filter(|(code, n)| {
            !code.is_empty() && (*n > 1 || is_export(code).is_some() || self.sample.rows.len() < 20)
        });
        let codes: Vec<String> = codes.map(|(code, _)| code.to_owned()).take(CHOICES_MAX).collect();
        let of = |export: bool| -> Vec<String> {
            codes.iter().filter(|code| is_export(code) == Some(export)).cloned().collect()
        };
        let unknown = codes.iter().any(|code| is_export(code).is_none());
        for (key, export, usual) in [("export", true, "E"), ("import", false, "I")] {
            if unknown {
                let text = format!("Which codes of the flow mean {key}s?");
                to.ask(&format!("flow.{key}"), &text, &codes);
                continue;
            }
            let found = of(export);
            let (codes, why) = match (found.is_empty(), codes.contains(&usual.to_owned())) {
                (true, false) => (vec![usual.to_owned()], "no line has one"),
                _ => (found, "these codes mean the same everywhere"),
            };
            to.set("flow", key, codes, why);
        }
    }

    fn value(&self, to: &mut Proposal) {
        let Some(at) = self.at(Field::ValueUsd).or_else(|| self.value_by_part()) else {
            let text = "No column is known to be the value: which has the amounts?";
            to.ask("columns.value_usd", text, &self.choices());
            return;
        };
        to.set("columns", "value_usd", self.name(at), "by its name");
        let heading = self.sample.before.join(" ") + " " + &self.sample.names[at];
        let (unit, why) = if ["万美元", "万元", "万 美元"].iter().any(|word| heading.contains(word))
        {
            (10_000, "the heading says ten thousands")
        } else if ["1000", "千美元", "'000", "thousand"]
            .iter()
            .any(|word| heading.to_lowercase().contains(word))
        {
            (1000, "the heading says thousands")
        } else {
            (1, "a one stands for a dollar; no heading says otherwise")
        };
        to.set("value", "unit", unit, why);
        let found = amounts(self.sample, at);
        if found.is_ambiguous {
            let choices = ["none", ",", ".", " "].map(str::to_owned);
            let text = "A mark before three digits can stand between thousands or before \
                        decimals: which stands between thousands?";
            to.ask("value.thousands", text, &choices);
        }
        let mark = if found.decimal_comma { "," } else { "." };
        to.set("value", "decimal_mark", mark, "from the amounts");
        if let Some(mark) = found.thousands {
            to.set("value", "thousands", mark.to_string(), "from the amounts");
        }
        let missing: Vec<String> = found
            .others
            .iter()
            .filter(|(text, n)| text.chars().count() <= 3 && (*n > 1 || text.len() <= 1))
            .map(|(text, _)| text.clone())
            .filter(|text| !text.bytes().any(|byte| byte.is_ascii_digit()))
            .collect();
        if !missing.is_empty() {
            to.set(
                "value",
                "missing",
                missing,
                "these texts are no amounts; their lines are excluded",
            );
        }
    }

    /// A column of amounts whose name contains a word for values.
    fn value_by_part(&self) -> Option<usize> {
        let is_value = |name: &String| {
            let name = name.to_lowercase();
            ["usd", "value", "美元", "金额", "fob", "valor"].iter().any(|word| name.contains(word))
        };
        let named = || self.sample.names.iter().enumerate().filter(|(_, name)| is_value(name));
        let mut found = named().filter(|(at, _)| {
            let amounts = amounts(self.sample, *at);
            amounts.n > amounts.others.iter().map(|(_, n)| n).sum()
        });
        let first = found.next()?.0;
        found.next().is_none().then_some(first)
    }

    fn column(&self, to: &mut Proposal, field: Field, is_needed: bool) {
        if let Some(at) = self.at(field) {
            to.set("columns", field.name(), self.name(at), "by its name");
        } else if is_needed {
            let key = format!("columns.{}", field.name());
            let text = match field {
                Field::FirmId => {
                    "No column is known to be the firm: which is it? Without firms, the product's \
                     column can stand in for it."
                }
                Field::Region => "No column is known to be the place of production: which is it?",
                _ => "No column is known to be the partner country: which is it?",
            };
            to.ask(&key, text, &self.choices());
        }
    }

    /// Proposes the rule by which the tables know most regions.
    fn city(&self, to: &mut Proposal) {
        let Some(at) = self.at(Field::Region) else {
            if self.answers.contains_key("columns.region") {
                to.set("city", "from", "as-is", "the constant is a city's code");
            }
            return;
        };
        let profile = Profile::bundled("ccts").expect("a shipped profile");
        let texts = ReferenceTexts::of(self.tables.clone(), &profile);
        let Ok(places) = Places::parse(&texts) else { return };
        let regions = self.sample.distinct(at);
        let n: usize = regions.iter().map(|(_, n)| n).sum();
        let is_known = |rule: &CityRule, region: &str| {
            matches!(places.region(rule, region, None), Found::City(_))
        };
        let known = |rule: &CityRule| -> usize {
            regions.iter().filter(|(region, _)| is_known(rule, region)).map(|(_, n)| n).sum()
        };
        let mut rules = vec![CityRule::AsIs, CityRule::Concordance];
        rules.extend([4, 2, 6].map(|digits| CityRule::Prefix { digits }));
        let answer = self.answers.get("city.from").and_then(Value::as_str);
        rules
            .retain(|rule| places.supports(rule) && answer.is_none_or(|of| of == name_of(*rule).0));
        let most = rules.iter().map(known).max().unwrap_or(0);
        rules.retain(|rule| known(rule) == most);
        let Some(rule) = rules.first().filter(|_| most * 10 >= n * 7 && n > 0) else {
            let shown: Vec<&str> = regions.iter().take(3).map(|(region, _)| *region).collect();
            let text = format!(
                "No rule finds the cities of regions such as {}: give cities.csv \
                 (city,province,area_km2) beside the feed, or which rule is it?",
                shown.join(", ")
            );
            to.ask("city.from", &text, &["as-is", "prefix", "concordance"].map(str::to_owned));
            return;
        };
        let same = |other: &CityRule| {
            let agrees = |(region, _): &(&str, usize)| {
                places.region(rule, region, None) == places.region(other, region, None)
            };
            regions.iter().all(agrees)
        };
        let others: Vec<&CityRule> = rules.iter().filter(|other| !same(other)).collect();
        if !others.is_empty() {
            let choices = rules.iter().map(|rule| name_of(*rule).0.to_owned());
            let mut choices: Vec<String> = choices.collect();
            choices.dedup();
            let text = "Several rules find cities, and not the same ones: are regions the customs' \
                        codes of regions.csv (concordance), or do they begin with a city's code \
                        (prefix)?";
            to.ask("city.from", text, &choices);
            return;
        }
        let (from, digits) = name_of(*rule);
        let why = format!("finds the cities of {most} of {n} lines");
        to.set("city", "from", from, &why);
        if let Some(digits) = digits {
            to.set("city", "digits", digits, "as many digits are a city's code");
        }
    }

    fn country(&self, to: &mut Proposal) {
        let Some(at) = self.at(Field::Country) else { return };
        let profile = Profile::bundled("canonical").expect("a shipped profile");
        let Ok(places) = Places::parse(&ReferenceTexts::of(self.tables.clone(), &profile)) else {
            return;
        };
        let countries = self.sample.distinct(at);
        let n: usize = countries.iter().map(|(_, n)| n).sum();
        let known = countries.iter().filter(|(country, _)| {
            places.country_known(country) || places.country_named(country).is_some()
        });
        let n_known: usize = known.map(|(_, n)| n).sum();
        if n_known * 10 >= n * 7 {
            let why = format!("the table of countries knows those of {n_known} of {n} lines");
            to.set("", "countries", "customs", &why);
        } else {
            to.set("", "countries", "any", "the customs' table does not know these codes");
        }
    }

    /// Proposes to drop product codes that are totals of others.
    fn totals(&self, to: &mut Proposal) {
        let Some(at) = self.at(Field::Hs8) else { return };
        let codes = self.sample.distinct(at);
        let is_total = |code: &str| {
            TOTALS.contains(&code.to_uppercase().as_str())
                || codes
                    .iter()
                    .filter(|(of, _)| of.len() > code.len() && of.starts_with(code))
                    .count()
                    >= 2
        };
        let totals: Vec<&str> = codes
            .iter()
            .map(|(code, _)| *code)
            .filter(|code| !code.is_empty() && is_total(code))
            .collect();
        let mut lengths: Vec<i64> =
            totals.iter().map(|code| i64::try_from(code.chars().count()).unwrap_or(0)).collect();
        lengths.sort_unstable();
        lengths.dedup();
        let is_other = |code: &str| {
            let length = i64::try_from(code.chars().count()).unwrap_or(0);
            lengths.contains(&length) && !totals.contains(&code)
        };
        if totals.is_empty() || !self.sample.has_header {
            return;
        }
        let condition = if codes.iter().any(|(code, _)| is_other(code)) {
            let totals: Vec<String> = totals.iter().map(ToString::to_string).collect();
            Value::from(totals)
        } else {
            Value::Table(
                [("length".to_owned(), Value::from(lengths.clone()))].into_iter().collect(),
            )
        };
        let shown: Vec<&str> = totals.iter().take(3).copied().collect();
        let drop = [(self.sample.names[at].clone(), condition)].into_iter().collect();
        let why = format!("totals beside their parts: {}", shown.join(", "));
        to.set("", "drop", Value::Table(drop), &why);
    }

    /// Proposes the treatment of another file for the same months.
    fn revision(&self, to: &mut Proposal, month: Option<(usize, String)>) {
        let is_of_month = self.names.n_dates == (1, 1);
        let repeats = month.is_some_and(|(at, format)| {
            let format = format.try_into().ok();
            let read = |text: &str| {
                format
                    .as_ref()
                    .and_then(|of: &crate::feed::period_format::PeriodFormat| of.read(text))
            };
            let months: Vec<_> = self.sample.column(at).filter_map(read).collect();
            is_of_month
                && months.iter().filter(|of| **of < self.file.period).count() * 2 > months.len()
        });
        if repeats {
            to.set("file", "covers", "range", "most lines are of earlier months of the year");
        }
        let files = &self.found.files;
        let again = files
            .windows(2)
            .find(|pair| pair[0].period == pair[1].period && pair[0].part == pair[1].part);
        if repeats || self.names.n_dates != (1, 1) {
            let why = "a file takes the place of the months that it covers";
            to.set("", "revision", "replace-periods", why);
        } else if let Some([first, second]) = again {
            let text = format!(
                "{} and {} are of one month: are lines added (append), or does the later file \
                 replace the earlier one (supersede)?",
                first.name, second.name
            );
            let choices = ["append", "supersede", "refuse"].map(str::to_owned);
            to.ask("revision", &text, &choices);
        } else {
            to.set("", "revision", "refuse", "each month has one file");
        }
    }

    /// Proposes the codes of ordinary trade, if they differ from 10.
    fn ordinary(&self, to: &mut Proposal) {
        let Some(at) = self.at(Field::TradeMode) else { return };
        let modes = self.sample.distinct(at);
        let of = |known: &&str| modes.iter().any(|(mode, _)| mode == known);
        let found: Vec<String> = ["10", "0110", "一般贸易"]
            .iter()
            .filter(|mode| of(mode))
            .map(ToString::to_string)
            .collect();
        if !found.is_empty() && found != ["10"] {
            to.set("", "ordinary_modes", found, "codes of ordinary trade, for table 4 (2)");
        }
    }

    /// Proposes the exclusions of Chinese customs data.
    fn exclusions(&self, to: &mut Proposal) {
        let is_chinese = self.at(Field::FirmName).is_some()
            && to
                .entries
                .iter()
                .any(|of| of.key == "countries" && of.value.as_str() == Some("customs"));
        let of = Profile::bundled("canonical").expect("a shipped profile").exclusions;
        let (countries, words) =
            if is_chinese { (of.countries, of.name_contains) } else { (Vec::new(), Vec::new()) };
        let why = if is_chinese { "Hong Kong" } else { "codes of countries outside the study" };
        to.set("exclusions", "countries", countries, why);
        let why =
            if is_chinese { "words of trade intermediaries" } else { "words in names of firms" };
        to.set("exclusions", "name_contains", words, why);
    }
}

/// The name of a rule in a profile, and its number of digits.
fn name_of(rule: CityRule) -> (&'static str, Option<i64>) {
    match rule {
        CityRule::AsIs => ("as-is", None),
        CityRule::Concordance => ("concordance", None),
        CityRule::Prefix { digits } => ("prefix", Some(i64::from(digits))),
    }
}
