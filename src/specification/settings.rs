//! Settings of a whole file, and those of a column in their place.

use serde::Deserialize;

use super::conventions::{DofName, EstimatorSettings, small_sample};
use super::error::SpecificationProblem;
use crate::estimate::formula::{Formula, Interaction};
use crate::estimate::inference::{Inference, Vcov};

/// The common settings of columns, unless a column has its own.
pub(super) struct Shared {
    pub(super) sample: Option<String>,
    pub(super) cluster: Option<String>,
    pub(super) vcov: Option<VcovName>,
    pub(super) ssc: Option<String>,
    pub(super) dof: Option<DofName>,
    pub(super) estimator: Option<EstimatorSettings>,
    pub(super) weights: Option<String>,
}

impl Shared {
    /// These settings, completed by others; `cluster` and `vcov` replace each other.
    pub(super) fn or(self, other: &Self) -> Self {
        let (cluster, vcov) = match (self.cluster, self.vcov) {
            (None, None) => (other.cluster.clone(), other.vcov),
            own => own,
        };
        Self {
            sample: self.sample.or_else(|| other.sample.clone()),
            cluster,
            vcov,
            ssc: self.ssc.or_else(|| other.ssc.clone()),
            dof: self.dof.or(other.dof),
            estimator: self.estimator.or_else(|| other.estimator.clone()),
            weights: self.weights.or_else(|| other.weights.clone()),
        }
    }

    pub(super) fn inference(&self) -> Result<Inference, SpecificationProblem> {
        let vcov = match (&self.cluster, self.vcov) {
            (Some(_), Some(_)) => return Err(SpecificationProblem::ClustersAndVcov),
            (Some(clusters), None) => Vcov::Clustered(Interaction::parse_sum(clusters.trim())?),
            (None, Some(VcovName::Hc1)) => Vcov::Hc1,
            (None, _) => Vcov::Iid,
        };
        let dof = self.dof.unwrap_or_default();
        let small_sample = small_sample(self.ssc.as_deref().unwrap_or(""), dof.into())
            .map_err(SpecificationProblem::Convention)?;
        let negative_variance =
            self.estimator.as_ref().map(EstimatorSettings::negative_variance).unwrap_or_default();
        Ok(Inference { vcov, small_sample, negative_variance })
    }

    /// The formula of a sample: the column's own, or the common one.
    pub(super) fn sample(
        &self,
        own: Option<&str>,
    ) -> Result<Option<Formula>, SpecificationProblem> {
        let text = own.or(self.sample.as_deref());
        Ok(text.map(|text| Formula::parse(text.trim())).transpose()?)
    }
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum VcovName {
    Iid,
    Hc1,
}
