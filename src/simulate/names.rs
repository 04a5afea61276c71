//! Invented names of firms, in the form of Chinese firms' names.

use super::random::Stream;

const FIRST: [&str; 24] = [
    "恒", "华", "鑫", "宏", "永", "金", "瑞", "德", "盛", "泰", "新", "东", "海", "天", "嘉", "利",
    "顺", "美", "康", "富", "联", "创", "凯", "隆",
];

const SECOND: [&str; 24] = [
    "达", "丰", "源", "兴", "泰", "业", "盛", "和", "信", "安", "通", "宝", "辉", "成", "诚", "星",
    "洋", "力", "科", "宇", "明", "祥", "龙", "峰",
];

const TRADES: [&str; 16] = [
    "电子", "纺织", "服装", "机械", "五金", "塑胶", "化工", "家具", "玩具", "鞋业", "电器", "光电",
    "汽配", "陶瓷", "食品", "工具",
];

const FORMS: [&str; 4] = ["有限公司", "有限公司", "股份有限公司", "集团公司"];

/// The words that mark the name of a trade intermediary (METHODOLOGY, "Records and cleaning").
const INTERMEDIARIES: [&str; 5] = ["进出口", "贸易", "经贸", "科贸", "外经"];

/// A name for a firm of a city.
pub fn firm_name(stream: &mut Stream, city: &str, intermediary: bool) -> String {
    let place = city.strip_suffix('市').unwrap_or(city);
    let (first, second) = (stream.pick(&FIRST), stream.pick(&SECOND));
    let trade = if intermediary { stream.pick(&INTERMEDIARIES) } else { stream.pick(&TRADES) };
    format!("{place}{first}{second}{trade}{}", stream.pick(&FORMS))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulate::random::Purpose;

    #[test]
    fn intermediaries_and_only_they_have_a_word_of_trade_in_their_names() {
        let mut stream = Stream::open(1, Purpose::Founding, 0, 0);
        for nth in 0..2_000 {
            let intermediary = nth % 2 == 0;
            let name = firm_name(&mut stream, "苏州市", intermediary);
            let word = INTERMEDIARIES.iter().any(|word| name.contains(word));
            assert_eq!(word, intermediary, "{name}");
        }
    }
}
