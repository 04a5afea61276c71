//! Column names of agencies.

use crate::feed::columns::Field;
use crate::feed::profile::Profile;

/// Names of the columns of each field, as [`bare`] gives them, in addition to those of the shipped
/// profiles.
const NAMES: [(Field, &str); 9] = [
    (
        Field::Period,
        "period 日期 年月 数据年月 统计年月 统计月份 统计日期 申报日期 月份 yearmonth date shipmentdate refdate \
         referenceperiod month time timeperiod periodo período fecha data anomes periode période",
    ),
    (
        Field::Flow,
        "flow 进出口 进口或出口 进出口标志 进出口类型 进出口标识 出口或进口 流向 expimp exporimp 进出口c tradeflow flowcode ie \
         impexp importexport flujo fluxo flux",
    ),
    (
        Field::FirmId,
        "firmid 企业编码 企业代码 经营单位编码 经营单位代码 企业海关编码 海关编号 海关注册编码 海关十位编码 收发货人编码 统一社会信用代码 partyid \
         importerid exporterid companyid companycode enterpriseid taxid vatnumber cnpj cuit \
         ruc nit rut siren",
    ),
    (
        Field::FirmName,
        "firmname 企业名称 经营单位 经营单位名称 企业 收发货人 收发货人名称 公司名称 company companyname pname exporter \
         exportername empresa exportador razonsocial razãosocial razónsocial entreprise \
         raisonsociale",
    ),
    (
        Field::Region,
        "region city 消费地或生产地 境内目的地货源地 境内货源地 境内目的地 货源地 注册地 收发货人注册地 地区 地区代码 地市 地市代码 城市 城市代码 \
         行政区划 行政区划代码 区划代码 comun municipality municipio município province provincia state uf \
         departamento departement département declarant",
    ),
    (
        Field::Country,
        "country 国家名称c 起运国或目的国 贸易伙伴国 贸易伙伴 伙伴国 国别 国别地区 国家 国家地区 国家代码 国别代码 目的国 目的国地区 最终目的国 \
         最终目的国地区 运抵国 运抵国地区 产终国地区 destination destinationcountry countryofdestination partner \
         partnercountry partneriso copais pais país paisdestino paísdestino paisdedestino \
         paísdedestino pays paysdestination",
    ),
    (
        Field::Hs8,
        "hs8 hsid hs 税号编码 hs编码 商品代码 商品编码 商品编号 商品号 税则号列 税号 海关商品编码 hscode hs6code hs6 hs10 \
         commoditycode tariffcode productcode productnc ncm subpartida posicionarancelaria \
         partidaarancelaria codigosh",
    ),
    (
        Field::TradeMode,
        "trademode shipment 贸易类型c 贸易方式 贸易方式编码 贸易方式代码 贸易类型 监管方式 监管方式代码 customsregime \
         customsprocedure procedure statregime regime",
    ),
    (
        Field::ValueUsd,
        "valueusd 美元值 美元 金额 金额美元 美元金额 统计美元值 美元总值 出口额美元 出口金额美元 value vlfob fobvalueusd fobusd \
         valuefobusd usdfob usfob itemprice valorfob valorfobusd valorfobus",
    ),
];

/// Names of columns with a year, and with a month of the year.
const YEARS: &[&str] =
    &["year", "coano", "ano", "año", "anio", "年", "年份", "年度", "annee", "année"];
const MONTHS: &[&str] = &["month", "comes", "mes", "月", "月份", "月度", "mois", "mês"];

/// A name prepared for comparison: its letters and digits.
fn bare(name: &str) -> String {
    name.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// The columns whose names are known for a field.
pub(super) fn columns_of(field: Field, names: &[String]) -> Vec<usize> {
    let own = NAMES.iter().filter(|(of, _)| *of == field).flat_map(|(_, names)| names.split(' '));
    let mut known: Vec<String> = own.map(str::to_owned).collect();
    // For an agency without firms, products may replace them; the user must choose this.
    let has_firms = |name: &&str| ["canonical", "ccts"].contains(name);
    let is_of_firms = [Field::FirmId, Field::FirmName].contains(&field);
    let shipped = Profile::bundled_names().filter(|name| !is_of_firms || has_firms(name));
    for profile in shipped.filter_map(|name| Profile::bundled(name).ok()) {
        known.extend(profile.columns.of(field).names().iter().map(|name| bare(&name.to_string())));
    }
    among(&known, names)
}

/// The columns of year and month, if they are separate.
pub(super) fn year_and_month(names: &[String]) -> Option<(usize, usize)> {
    let of = |known: &[&str]| {
        let known: Vec<String> = known.iter().map(ToString::to_string).collect();
        among(&known, names).first().copied()
    };
    Some((of(YEARS)?, of(MONTHS)?))
}

/// The columns with any of some names, in the order of these names.
fn among(known: &[String], names: &[String]) -> Vec<usize> {
    let mut found: Vec<usize> = Vec::new();
    for known in known {
        let at = names.iter().position(|name| bare(name) == *known);
        found.extend(at.filter(|at| !found.contains(at)));
    }
    found
}
