//! Bodies in the binary form that Go clients prefer for the kinds that they know. Read, never written: such clients accept
//! JSON in answers too. A field that is not known here is refused, not dropped.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::fields::Body;
use crate::clock::WorldTime;

/// The type of such bodies.
pub(super) const MEDIA: &str = "application/vnd.kubernetes.protobuf";

/// What every body begins with.
const MAGIC: &[u8] = b"k8s\0";
/// Messages in messages: no kind comes near.
const DEEPEST: usize = 24;

/// The fields of each message, as `name=number:type`. Types are `s` text, `b` truth, `i` number, `y` bytes, `Time`,
/// `Quantity`, `IntOrString`, `_` for what the server sets itself, or a message; `*` is a list, `{}` a map by text, `?` a
/// field that is there even if it is empty.
const MESSAGES: &str = "
ObjectMeta name=1:s generateName=2:s namespace=3:s selfLink=4:s uid=5:s resourceVersion=6:s generation=7:i \
creationTimestamp=8:Time deletionTimestamp=9:Time deletionGracePeriodSeconds=10:i? labels=11:{}s annotations=12:{}s \
ownerReferences=13:*OwnerReference finalizers=14:*s managedFields=17:_
OwnerReference kind=1:s name=3:s uid=4:s apiVersion=5:s controller=6:b? blockOwnerDeletion=7:b?
LabelSelector matchLabels=1:{}s matchExpressions=2:*LabelSelectorRequirement
LabelSelectorRequirement key=1:s operator=2:s values=3:*s
ObjectReference kind=1:s namespace=2:s name=3:s uid=4:s apiVersion=5:s resourceVersion=6:s fieldPath=7:s
LocalObjectReference name=1:s
DeleteOptions gracePeriodSeconds=1:i? preconditions=2:Preconditions orphanDependents=3:b? propagationPolicy=4:s? dryRun=5:*s
Preconditions uid=1:s? resourceVersion=2:s?
Namespace metadata=1:ObjectMeta spec=2:NamespaceSpec status=3:_
NamespaceSpec finalizers=1:*s
ConfigMap metadata=1:ObjectMeta data=2:{}s binaryData=3:{}y immutable=4:b?
Secret metadata=1:ObjectMeta data=2:{}y type=3:s stringData=4:{}s immutable=5:b?
ServiceAccount metadata=1:ObjectMeta secrets=2:*ObjectReference imagePullSecrets=3:*LocalObjectReference automountServiceAccountToken=4:b?
ResourceQuota metadata=1:ObjectMeta spec=2:ResourceQuotaSpec status=3:_
ResourceQuotaSpec hard=1:{}Quantity scopes=2:*s
Role metadata=1:ObjectMeta rules=2:*PolicyRule
ClusterRole metadata=1:ObjectMeta rules=2:*PolicyRule aggregationRule=3:AggregationRule
AggregationRule clusterRoleSelectors=1:*LabelSelector
PolicyRule verbs=1:*s apiGroups=2:*s resources=3:*s resourceNames=4:*s nonResourceURLs=5:*s
RoleBinding metadata=1:ObjectMeta subjects=2:*Subject roleRef=3:RoleRef
ClusterRoleBinding metadata=1:ObjectMeta subjects=2:*Subject roleRef=3:RoleRef
Subject kind=1:s apiGroup=2:s name=3:s namespace=4:s
RoleRef apiGroup=1:s kind=2:s name=3:s
SelfSubjectAccessReview metadata=1:ObjectMeta spec=2:SelfSubjectAccessReviewSpec status=3:_
SelfSubjectAccessReviewSpec resourceAttributes=1:ResourceAttributes? nonResourceAttributes=2:NonResourceAttributes?
ResourceAttributes namespace=1:s verb=2:s group=3:s version=4:s resource=5:s subresource=6:s name=7:s
NonResourceAttributes path=1:s verb=2:s
SelfSubjectRulesReview metadata=1:ObjectMeta spec=2:SelfSubjectRulesReviewSpec status=3:_
SelfSubjectRulesReviewSpec namespace=1:s
SelfSubjectReview metadata=1:ObjectMeta status=2:_
Service metadata=1:ObjectMeta spec=2:ServiceSpec status=3:_
ServiceSpec ports=1:*ServicePort selector=2:{}s clusterIP=3:s type=4:s externalIPs=5:*s sessionAffinity=7:s loadBalancerIP=8:s \
loadBalancerSourceRanges=9:*s externalName=10:s externalTrafficPolicy=11:s healthCheckNodePort=12:i \
publishNotReadyAddresses=13:b ipFamilyPolicy=17:s? clusterIPs=18:*s ipFamilies=19:*s allocateLoadBalancerNodePorts=20:b? \
loadBalancerClass=21:s? internalTrafficPolicy=22:s? trafficDistribution=23:s?
ServicePort name=1:s protocol=2:s port=3:i targetPort=4:IntOrString nodePort=5:i appProtocol=6:s?
Deployment metadata=1:ObjectMeta spec=2:DeploymentSpec status=3:_
DeploymentSpec replicas=1:i? selector=2:LabelSelector? template=3:PodTemplateSpec strategy=4:DeploymentStrategy minReadySeconds=5:i \
revisionHistoryLimit=6:i? paused=7:b progressDeadlineSeconds=9:i?
DeploymentStrategy type=1:s rollingUpdate=2:RollingUpdateDeployment?
RollingUpdateDeployment maxUnavailable=1:IntOrString maxSurge=2:IntOrString
PodTemplateSpec metadata=1:ObjectMeta spec=2:PodSpec
PodSpec containers=2:*Container restartPolicy=3:s terminationGracePeriodSeconds=4:i? activeDeadlineSeconds=5:i? dnsPolicy=6:s \
nodeSelector=7:{}s serviceAccountName=8:s serviceAccount=9:s nodeName=10:s hostNetwork=11:b hostPID=12:b hostIPC=13:b \
imagePullSecrets=15:*LocalObjectReference hostname=16:s subdomain=17:s schedulerName=19:s initContainers=20:*Container \
automountServiceAccountToken=21:b?
Container name=1:s image=2:s command=3:*s args=4:*s workingDir=5:s ports=6:*ContainerPort env=7:*EnvVar resources=8:ResourceRequirements \
terminationMessagePath=13:s imagePullPolicy=14:s stdin=16:b stdinOnce=17:b tty=18:b terminationMessagePolicy=20:s
ContainerPort name=1:s hostPort=2:i containerPort=3:i protocol=4:s hostIP=5:s
EnvVar name=1:s value=2:s
ResourceRequirements limits=1:{}Quantity requests=2:{}Quantity
";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    One,
    List,
    Map,
}

#[derive(Clone, Copy, Debug)]
struct Field {
    name: &'static str,
    of: &'static str,
    shape: Shape,
    /// Whether an empty value says something.
    kept: bool,
}

type Fields = BTreeMap<u64, Field>;

fn messages() -> &'static BTreeMap<&'static str, Fields> {
    static MESSAGES_BY_NAME: OnceLock<BTreeMap<&'static str, Fields>> = OnceLock::new();
    MESSAGES_BY_NAME.get_or_init(|| MESSAGES.lines().filter_map(message).collect())
}

fn message(line: &'static str) -> Option<(&'static str, Fields)> {
    let mut words = line.split_whitespace();
    let name = words.next()?;
    let field = |word: &'static str| {
        let (name, rest) = word.split_once('=')?;
        let (number, of) = rest.split_once(':')?;
        let (of, kept) = of.strip_suffix('?').map_or((of, false), |of| (of, true));
        let (of, shape) = match (of.strip_prefix('*'), of.strip_prefix("{}")) {
            (Some(of), _) => (of, Shape::List),
            (_, Some(of)) => (of, Shape::Map),
            _ => (of, Shape::One),
        };
        Some((number.parse().ok()?, Field { name, of, shape, kept }))
    };
    Some((name, words.filter_map(field).collect()))
}

/// An object of its binary form; `Err` says what is wrong with it.
pub(super) fn read(bytes: &[u8]) -> Result<Body, String> {
    let bytes = bytes.strip_prefix(MAGIC).ok_or("the body does not begin as it should")?;
    let (mut api_version, mut kind, mut raw) = (String::new(), String::new(), &[][..]);
    for part in Parts(bytes) {
        match part? {
            (1, Part::Bytes(types)) => {
                for part in Parts(types) {
                    match part? {
                        (1, Part::Bytes(text)) => api_version = utf8(text)?,
                        (2, Part::Bytes(text)) => kind = utf8(text)?,
                        _ => {}
                    }
                }
            }
            (2, Part::Bytes(object)) => raw = object,
            _ => {}
        }
    }
    let mut body = Body::new();
    body.insert("apiVersion".to_owned(), api_version.into());
    body.insert("kind".to_owned(), kind.as_str().into());
    body.extend(object(&kind, raw, 0)?);
    Ok(body)
}

fn object(name: &str, bytes: &[u8], depth: usize) -> Result<Body, String> {
    let fields = messages().get(name).ok_or_else(|| format!("no binary form of {name} is known"))?;
    if depth > DEEPEST {
        return Err("the body is nested too deeply".to_owned());
    }
    let mut body = Body::new();
    for part in Parts(bytes) {
        let (number, part) = part?;
        let field = fields.get(&number).ok_or_else(|| format!("field {number} of {name} is not known"))?;
        if field.of == "_" {
            continue;
        }
        match field.shape {
            Shape::One => {
                let value = value(field.of, part, depth)?;
                if field.kept || !is_empty(&value) {
                    body.insert(field.name.to_owned(), value);
                }
            }
            Shape::List => {
                let value = value(field.of, part, depth)?;
                if let Value::Array(list) = body.entry(field.name).or_insert_with(|| json!([])) {
                    list.push(value);
                }
            }
            Shape::Map => {
                let Part::Bytes(entry) = part else { return Err(format!("{} is no map", field.name)) };
                // Entries may leave out what is empty.
                let (mut key, mut inner) = (String::new(), value(field.of, Part::Bytes(&[]), depth)?);
                for part in Parts(entry) {
                    match part? {
                        (1, Part::Bytes(text)) => key = utf8(text)?,
                        (2, part) => inner = value(field.of, part, depth)?,
                        _ => {}
                    }
                }
                if let Value::Object(map) = body.entry(field.name).or_insert_with(|| json!({})) {
                    map.insert(key, inner);
                }
            }
        }
    }
    Ok(body)
}

fn value(of: &str, part: Part<'_>, depth: usize) -> Result<Value, String> {
    Ok(match (of, part) {
        ("s", Part::Bytes(text)) => utf8(text)?.into(),
        ("y", Part::Bytes(bytes)) => STANDARD.encode(bytes).into(),
        ("b", Part::Number(number)) => (number != 0).into(),
        ("i", Part::Number(number)) => number.cast_signed().into(),
        ("Time", Part::Bytes(time)) => {
            let seconds = Parts(time).find_map(|part| match part {
                Ok((1, Part::Number(seconds))) => Some(seconds.cast_signed()),
                _ => None,
            });
            seconds.map_or(Value::Null, |seconds| WorldTime(seconds.saturating_mul(1000)).to_seconds().into())
        }
        ("Quantity", Part::Bytes(quantity)) => {
            let text = Parts(quantity).find_map(|part| match part {
                Ok((1, Part::Bytes(text))) => Some(utf8(text)),
                _ => None,
            });
            text.unwrap_or_else(|| Ok("0".to_owned()))?.into()
        }
        ("IntOrString", Part::Bytes(either)) => {
            let (mut textual, mut number, mut text) = (false, 0, String::new());
            for part in Parts(either) {
                match part? {
                    (1, Part::Number(kind)) => textual = kind != 0,
                    (2, Part::Number(value)) => number = value.cast_signed(),
                    (3, Part::Bytes(value)) => text = utf8(value)?,
                    _ => {}
                }
            }
            if textual { text.into() } else { number.into() }
        }
        (message, Part::Bytes(bytes)) => Value::Object(object(message, bytes, depth + 1)?),
        (other, Part::Number(_)) => return Err(format!("a number is no {other}")),
    })
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Number(number) => number.as_i64() == Some(0),
        Value::String(text) => text.is_empty(),
        Value::Object(body) => body.is_empty(),
        Value::Bool(true) | Value::Array(_) => false,
    }
}

fn utf8(bytes: &[u8]) -> Result<String, String> {
    std::str::from_utf8(bytes).map(str::to_owned).map_err(|error| error.to_string())
}

/// What stands at one place of a message.
#[derive(Clone, Copy, Debug)]
enum Part<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

/// The parts of a message with their field numbers.
struct Parts<'a>(&'a [u8]);

impl<'a> Iterator for Parts<'a> {
    type Item = Result<(u64, Part<'a>), String>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let part = self.part();
        if part.is_none() {
            self.0 = &[];
        }
        Some(part.ok_or_else(|| "the body ends too early or has a form that is not used".to_owned()))
    }
}

impl<'a> Parts<'a> {
    fn part(&mut self) -> Option<(u64, Part<'a>)> {
        let tag = self.number()?;
        let part = match tag & 7 {
            0 => Part::Number(self.number()?),
            1 => Part::Bytes(self.take(8)?),
            2 => {
                let length = usize::try_from(self.number()?).ok()?;
                Part::Bytes(self.take(length)?)
            }
            5 => Part::Bytes(self.take(4)?),
            _ => return None,
        };
        Some((tag >> 3, part))
    }

    fn number(&mut self) -> Option<u64> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let (first, rest) = self.0.split_first()?;
            self.0 = rest;
            number |= u64::from(first & 0x7f) << shift;
            if first & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

    use super::*;

    /// A field of bytes.
    fn field(number: u8, inner: &[u8]) -> Vec<u8> {
        let mut bytes = vec![number << 3 | 2, u8::try_from(inner.len()).unwrap()];
        bytes.extend_from_slice(inner);
        bytes
    }

    fn whole(api_version: &str, kind: &str, raw: &[u8]) -> Vec<u8> {
        let types = [field(1, api_version.as_bytes()), field(2, kind.as_bytes())].concat();
        [MAGIC.to_vec(), field(1, &types), field(2, raw)].concat()
    }

    #[test]
    fn every_type_that_is_named_is_there() {
        let known = ["s", "b", "i", "y", "Time", "Quantity", "IntOrString", "_"];
        let lines = MESSAGES.lines().filter(|line| !line.trim().is_empty()).count();
        assert_eq!(messages().len(), lines);
        for (name, fields) in messages() {
            let words = MESSAGES.lines().find(|line| line.split(' ').next() == Some(*name)).unwrap();
            assert_eq!(fields.len(), words.split_whitespace().count() - 1, "{name}");
            for field in fields.values() {
                assert!(known.contains(&field.of) || messages().contains_key(field.of), "{name}.{}", field.name);
            }
        }
    }

    #[test]
    fn objects() {
        // Empty texts and times are sent though nobody wrote them.
        let metadata = [field(1, b"c"), field(2, b""), field(3, b"n"), vec![7 << 3, 0], field(8, b"")].concat();
        let entry = [field(1, b"a"), field(2, b"b")].concat();
        let raw = [field(1, &metadata), field(2, &entry), vec![4 << 3, 0]].concat();
        let expected = json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": { "name": "c", "namespace": "n" }, "data": { "a": "b" }, "immutable": false,
        });
        assert_eq!(Value::Object(read(&whole("v1", "ConfigMap", &raw)).unwrap()), expected);
        let secret = [field(2, &[field(1, b"k"), field(2, &[0xff, 0])].concat()), field(3, b"")].concat();
        assert_eq!(read(&whole("v1", "Secret", &secret)).unwrap()["data"], json!({ "k": "/wA=" }));
        let rule = [field(1, b"get"), field(2, b""), field(3, b"pods")].concat();
        let role = read(&whole("rbac.authorization.k8s.io/v1", "Role", &field(2, &rule))).unwrap();
        assert_eq!(role["rules"], json!([{ "verbs": ["get"], "apiGroups": [""], "resources": ["pods"] }]));
    }

    #[test]
    fn what_is_no_object() {
        for bytes in [
            b"{}".to_vec(),
            whole("v1", "Node", b""),
            whole("v1", "ConfigMap", &field(9, b"x")),
            whole("v1", "ConfigMap", &[10, 200]),
            whole("v1", "ConfigMap", &[0xff; 12]),
            whole("v1", "ConfigMap", &field(1, &field(1, &[0xff]))),
        ] {
            assert!(read(&bytes).is_err(), "{bytes:?}");
        }
    }
}
