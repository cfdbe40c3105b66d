//! The numbers of what evaluation can find wrong (02xx) and of the lints (03xx), once. Not their pages: those lie beside the
//! diagnostics crate, one a code.

use akson_diagnostics::Code;

/// There is no `stack` block.
pub const NO_STACK: Code = Code(201);
/// There is more than one `stack` block.
pub const SECOND_STACK: Code = Code(202);
/// A block's keyword is not known.
pub const UNKNOWN_BLOCK: Code = Code(203);
/// A part of the language that this version does not carry out yet.
pub const NOT_SUPPORTED: Code = Code(204);
/// A block has the wrong number of labels, or a label that cannot be referred to.
pub const LABELS: Code = Code(205);
/// An attribute that the block does not have.
pub const UNKNOWN_ATTRIBUTE: Code = Code(206);
/// Required attributes are missing.
pub const MISSING_ATTRIBUTES: Code = Code(207);
/// An attribute is set twice.
pub const DUPLICATE_ATTRIBUTE: Code = Code(208);
/// Two declarations have one address.
pub const DUPLICATE_ADDRESS: Code = Code(209);
/// A reference to something that is not declared.
pub const UNKNOWN_NAME: Code = Code(210);
/// A resource does not tell this.
pub const UNKNOWN_OUTPUT: Code = Code(211);
/// A function that does not exist.
pub const UNKNOWN_FUNCTION: Code = Code(212);
/// A word or text that is none of the allowed ones.
pub const UNKNOWN_SYMBOL: Code = Code(213);
/// A value of another type than wanted.
pub const WRONG_TYPE: Code = Code(214);
/// A resource of another kind than wanted.
pub const WRONG_KIND: Code = Code(215);
/// One id given for another.
pub const WRONG_ID: Code = Code(216);
/// Text that breaks the rule of its attribute or type.
pub const BROKEN_RULE: Code = Code(217);
/// A number outside its bounds.
pub const OUT_OF_RANGE: Code = Code(218);
/// `none` where the service cannot remove the value.
pub const NOT_REMOVABLE: Code = Code(219);
/// `default` where the service documents none.
pub const NO_DEFAULT: Code = Code(220);
/// A constructor's arguments do not fit.
pub const CONSTRUCTOR: Code = Code(221);
/// A function's arguments do not fit.
pub const FUNCTION_ARGUMENTS: Code = Code(222);
/// A function cannot compute a result from these values.
pub const FUNCTION_FAILED: Code = Code(223);
/// An operator's operands do not fit.
pub const OPERAND: Code = Code(224);
/// A calculation overflows or divides by zero.
pub const ARITHMETIC: Code = Code(225);
/// An index or key that is not there.
pub const INDEX: Code = Code(226);
/// A variable has no value.
pub const NO_VALUE: Code = Code(227);
/// A value is given for a variable that is not declared.
pub const UNDECLARED_VARIABLE: Code = Code(228);
/// A variable's value from outside cannot be read as its type.
pub const VARIABLE_VALUE: Code = Code(229);
/// A variable's type is not one.
pub const VARIABLE_TYPE: Code = Code(230);
/// A variable's own condition does not hold.
pub const VALIDATION: Code = Code(231);
/// References go round in a circle.
pub const CYCLE: Code = Code(232);
/// `for_each` is not a map, set or list of distinct strings.
pub const FOR_EACH: Code = Code(233);
/// What decides over existence or identity depends on what Azure answers.
pub const NOT_KNOWN: Code = Code(234);
/// One instance is wanted, or the block has no instances.
pub const INSTANCES: Code = Code(235);
/// A reference to what `when` or `for_each` left out.
pub const EXCLUDED: Code = Code(236);
/// `each` outside a block with `for_each`.
pub const EACH: Code = Code(237);
/// A sensitive value where it would show.
pub const SENSITIVE: Code = Code(238);
/// An output has a sensitive value and does not say so.
pub const SENSITIVE_OUTPUT: Code = Code(239);
/// `env` outside a sensitive position, or of a name that is not set.
pub const ENVIRONMENT: Code = Code(240);
/// `file` of a path that cannot be read.
pub const FILE: Code = Code(241);
/// Two resources have one id.
pub const SAME_ID: Code = Code(242);
/// Two federated credentials of one identity trust the same subject of the same issuer.
pub const SAME_SUBJECT: Code = Code(243);
/// More federated credentials than an identity can hold.
pub const TOO_MANY_CREDENTIALS: Code = Code(244);
/// No location can be found for a resource.
pub const NO_LOCATION: Code = Code(245);
/// A limit of evaluation is reached.
pub const LIMIT: Code = Code(246);
/// The configuration asks for another version of Akson.
pub const VERSION: Code = Code(247);
/// `existing` with something that only a managed resource has.
pub const EXISTING: Code = Code(248);
/// The label of a raw resource is not `Type@version`.
pub const RAW_TYPE: Code = Code(249);
/// A nested block where a value is wanted, or the other way round.
pub const NESTED: Code = Code(250);
/// An object gets one key twice.
pub const DUPLICATE_KEY: Code = Code(251);
/// `after`, `protect` or `on_remove` where it has no meaning, or with a value that has none.
pub const META: Code = Code(252);
/// A name that stands for something built into Azure and is none of those known.
pub const UNKNOWN_BUILT_IN: Code = Code(253);
/// A policy's parameters do not fit its definition.
pub const POLICY_PARAMETERS: Code = Code(254);
/// A tolerated difference without a reason, or whose last day is none.
pub const TOLERANCE: Code = Code(267);
/// A tolerated difference of what is not compared.
pub const NOTHING_TO_TOLERATE: Code = Code(268);
/// A difference that cannot be taken over into the source.
pub const NOT_ADOPTED: Code = Code(269);

/// A federated credential's issuer is not written as the token has it.
pub const LINT_ISSUER: Code = Code(301);
/// A federated credential's subject has a wildcard.
pub const LINT_WILDCARD: Code = Code(302);
/// A federated credential trusts every pull request.
pub const LINT_PULL_REQUEST: Code = Code(303);
/// A federated credential's audience is not the cloud's.
pub const LINT_AUDIENCE: Code = Code(304);
/// A vault can be purged before its retention ends.
pub const LINT_PURGE_PROTECTION: Code = Code(305);
/// A vault is open to every network.
pub const LINT_PUBLIC_VAULT: Code = Code(306);
/// A vault uses access policies in place of roles.
pub const LINT_ACCESS_POLICIES: Code = Code(307);
/// A cluster with Entra sign-in lets certificates in too.
pub const LINT_LOCAL_ACCOUNTS: Code = Code(308);
/// The API server of a cluster is open to every network.
pub const LINT_OPEN_API_SERVER: Code = Code(309);
/// Nobody has rights on a new cluster.
pub const LINT_NOBODY_GETS_IN: Code = Code(310);
/// A policy that deploys has no identity.
pub const LINT_POLICY_IDENTITY: Code = Code(311);
/// A secret is ordinary text.
pub const LINT_PLAIN_SECRET: Code = Code(312);
/// The label of workload identity stands on a service account.
pub const LINT_ACCOUNT_LABEL: Code = Code(350);
/// A secret provider class uses pod identity.
pub const LINT_POD_IDENTITY: Code = Code(351);
/// A parameter of a secret provider class is not read under that name.
pub const LINT_CLASS_PARAMETER: Code = Code(352);
/// The baseline initiative is assigned without an effect.
pub const LINT_BASELINE_EFFECT: Code = Code(353);
/// A role that can read a namespace's secrets and act as its service accounts.
pub const LINT_WRITER: Code = Code(354);
/// A policy is assigned on a cluster.
pub const LINT_POLICY_ON_CLUSTER: Code = Code(355);
/// A credential trusts a cluster that is not said to issue tokens.
pub const LINT_SILENT_ISSUER: Code = Code(356);
/// The source of a module is no folder of the configuration.
pub const MODULE_SOURCE: Code = Code(263);
/// A module is a part of itself.
pub const MODULE_CYCLE: Code = Code(264);
/// What a module may not declare.
pub const NOT_IN_MODULE: Code = Code(265);
/// A module has no output of that name.
pub const MODULE_OUTPUT: Code = Code(266);
/// A guard file is not understood.
pub const GUARD_FILE: Code = Code(440);
