//! What a policy leaves open, by name and in a sentence.

use std::fmt;

/// Why a policy does not demand MFA, or not of everyone and for everything; or why nobody can tell.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Hole {
    // The condition on MFA.
    /// A plain operator on `aws:MultiFactorAuthPresent`.
    BoolWithoutIfExists {
        operator: String,
    },
    /// A plain operator on `aws:MultiFactorAuthAge`.
    AgeWithoutIfExists {
        operator: String,
    },
    /// `Null` true on `aws:MultiFactorAuthPresent`.
    OnlyLongTermKeys,
    /// `Null` false on `aws:MultiFactorAuthPresent`.
    OnlyTemporaryCredentials,
    DeniesMfa,

    /// Whoever the statement is for has credentials that never carry MFA.
    RolesCarryNoMfa,

    // The rest of the statement.
    PartOfObjects {
        /// An object that is left out.
        example: String,
    },
    OtherResource {
        /// The resource that is left out.
        resource: String,
    },
    ActionOpen {
        action: String,
    },
    NarrowPrincipal,
    NotPrincipal,
    NarrowingCondition {
        key: String,
    },

    // An Allow that was meant as a demand.
    AllowIsNoDemand,
    AllowPassesLongTermKeys,
    AllowPassesTemporaryCredentials,

    // Ways round a demand for deleting versions.
    DeleteObjectsOpen,
    VersioningOpen,
    LifecycleOpen,
    PolicyOpen,
    RootUser,
    /// In a partition without root users.
    OwnerUnconfirmed,

    // What the model does not know.
    /// An operator for keys of another type.
    WrongOperator {
        operator: String,
        key: String,
    },
    SetOperator {
        operator: String,
    },
    UnknownOperator {
        operator: String,
    },
    UnknownValue {
        operator: String,
        values: String,
    },
    UnknownElement {
        name: String,
    },
    UnknownEffect {
        effect: String,
    },
    UnknownVersion {
        version: String,
    },
    UnknownPrincipal {
        principal: String,
    },
    UnknownResource {
        resource: String,
    },
    PolicyVariable {
        resource: String,
    },
    /// A key whose value is not known here.
    UnknownKey {
        key: String,
    },
    TooManyCases,
}

impl Hole {
    /// Who gets past every bucket policy. Source: IAM user guide, "AWS account root user"; China: IAM, "Feature differences".
    pub fn whoever_owns(partition: &str) -> Self {
        if partition == "aws-cn" { Self::OwnerUnconfirmed } else { Self::RootUser }
    }

    pub fn as_str(&self) -> &'static str {
        match self {
            Self::BoolWithoutIfExists { .. } => "bool_without_if_exists",
            Self::AgeWithoutIfExists { .. } => "age_without_if_exists",
            Self::OnlyLongTermKeys => "only_long_term_keys",
            Self::OnlyTemporaryCredentials => "only_temporary_credentials",
            Self::DeniesMfa => "denies_mfa",
            Self::RolesCarryNoMfa => "roles_carry_no_mfa",
            Self::PartOfObjects { .. } => "part_of_objects",
            Self::OtherResource { .. } => "other_resource",
            Self::ActionOpen { .. } => "action_open",
            Self::NarrowPrincipal => "narrow_principal",
            Self::NotPrincipal => "not_principal",
            Self::NarrowingCondition { .. } => "narrowing_condition",
            Self::AllowIsNoDemand => "allow_is_no_demand",
            Self::AllowPassesLongTermKeys => "allow_passes_long_term_keys",
            Self::AllowPassesTemporaryCredentials => "allow_passes_temporary_credentials",
            Self::DeleteObjectsOpen => "delete_objects_open",
            Self::VersioningOpen => "versioning_open",
            Self::LifecycleOpen => "lifecycle_open",
            Self::PolicyOpen => "policy_open",
            Self::RootUser => "root_user",
            Self::OwnerUnconfirmed => "owner_unconfirmed",
            Self::WrongOperator { .. } => "wrong_operator",
            Self::SetOperator { .. } => "set_operator",
            Self::UnknownOperator { .. } => "unknown_operator",
            Self::UnknownValue { .. } => "unknown_value",
            Self::UnknownElement { .. } => "unknown_element",
            Self::UnknownEffect { .. } => "unknown_effect",
            Self::UnknownVersion { .. } => "unknown_version",
            Self::UnknownPrincipal { .. } => "unknown_principal",
            Self::UnknownResource { .. } => "unknown_resource",
            Self::PolicyVariable { .. } => "policy_variable",
            Self::UnknownKey { .. } => "unknown_key",
            Self::TooManyCases => "too_many_cases",
        }
    }
}

/// A sentence without its full stop.
impl fmt::Display for Hole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BoolWithoutIfExists { operator } => write!(
                f,
                "long-term keys pass: their requests do not have aws:MultiFactorAuthPresent, and without it {operator} is \
                 false; BoolIfExists is true"
            ),
            Self::AgeWithoutIfExists { operator } => write!(
                f,
                "whoever has no MFA passes: without MFA a request does not have aws:MultiFactorAuthAge, and without it \
                 {operator} is false; with IfExists it is true"
            ),
            Self::OnlyLongTermKeys => f.write_str(
                "only long-term keys are denied: every request with temporary credentials has \
                 aws:MultiFactorAuthPresent, with MFA or without",
            ),
            Self::OnlyTemporaryCredentials => f.write_str(
                "long-term keys pass: the statement is only for requests that have aws:MultiFactorAuthPresent, and theirs \
                 do not",
            ),
            Self::DeniesMfa => f.write_str("the condition is the wrong way round: it is true of requests with MFA"),
            Self::RolesCarryNoMfa => f.write_str(
                "the statement is only for roles, whose credentials never carry MFA: it denies them, and demands MFA of nobody",
            ),
            Self::PartOfObjects { example } => {
                write!(f, "only a part of the objects is covered: {example:?} is not, for example")
            }
            Self::OtherResource { resource } => write!(f, "the statement's Resource leaves {resource} out"),
            Self::ActionOpen { action } => write!(f, "{action} needs no MFA"),
            Self::NarrowPrincipal => f.write_str("the statement is only for the principals that it names"),
            Self::NotPrincipal => f.write_str("NotPrincipal leaves out the principals that it names"),
            Self::NarrowingCondition { key } => {
                write!(f, "a further condition narrows the statement: requests pass that do not fulfil the one on {key}")
            }
            Self::AllowIsNoDemand => f.write_str(
                "an Allow for those with MFA demands nothing: any other grant still lets requests without MFA in; only a \
                 Deny keeps them out",
            ),
            Self::AllowPassesLongTermKeys => {
                f.write_str("an Allow demands nothing, and the condition of this one lets long-term keys pass")
            }
            Self::AllowPassesTemporaryCredentials => f.write_str(
                "an Allow demands nothing, and the condition of this one lets temporary credentials without MFA pass",
            ),
            Self::DeleteObjectsOpen => f.write_str(
                "s3:DeleteObject is open without MFA: null versions and objects without versions can be deleted",
            ),
            Self::VersioningOpen => {
                f.write_str("s3:PutBucketVersioning is open without MFA: versioning can be suspended")
            }
            Self::LifecycleOpen => f.write_str(
                "s3:PutLifecycleConfiguration is open without MFA: a lifecycle rule deletes versions, and no policy stops \
                 it",
            ),
            Self::PolicyOpen => f.write_str(
                "s3:PutBucketPolicy or s3:DeleteBucketPolicy is open without MFA: the policy can be taken away",
            ),
            Self::RootUser => f.write_str(
                "the root user of the bucket's account can read, put and delete the bucket policy, whatever it denies",
            ),
            Self::OwnerUnconfirmed => f.write_str(
                "this partition has no root users: who else can delete a bucket policy that denies it is not documented",
            ),
            Self::WrongOperator { operator, key } => {
                write!(f, "{operator} is no operator for {key}: how S3 compares the two is not documented")
            }
            Self::SetOperator { operator } => {
                write!(f, "{operator} is for keys with several values: on a key with one value it is not to be trusted")
            }
            Self::UnknownOperator { operator } => write!(f, "the condition operator {operator:?} is not known"),
            Self::UnknownValue { operator, values } => write!(f, "{operator} does not know the value {values:?}"),
            Self::UnknownElement { name } => write!(f, "the element {name:?} is not known"),
            Self::UnknownEffect { effect } => write!(f, "the Effect {effect:?} is neither Allow nor Deny"),
            Self::UnknownVersion { version } => write!(f, "the policy language's Version {version:?} is not known"),
            Self::UnknownPrincipal { principal } => write!(f, "it cannot be told who the principal {principal:?} is"),
            Self::UnknownResource { resource } => write!(f, "the resource {resource:?} is no ARN that can be read"),
            Self::PolicyVariable { resource } => {
                write!(f, "the resource {resource:?} depends on the request by its policy variable")
            }
            Self::UnknownKey { key } => write!(f, "which value requests have for {key} is not known here"),
            Self::TooManyCases => f.write_str("the policy has more cases than the analyser looks at"),
        }
    }
}
