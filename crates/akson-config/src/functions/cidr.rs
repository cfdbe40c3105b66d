//! Functions over address ranges.

use std::{net::IpAddr, str::FromStr};

use ipnet::IpNet;

use super::{
    Function, Shape,
    arguments::{count, int, text},
    parameter,
};
use crate::{fault::Fault, val::Val};

pub(super) const FUNCTIONS: &[Function] = &[
    Function::pure(
        "cidrsubnet",
        &[parameter("range", Shape::Text), parameter("bits", Shape::Int), parameter("number", Shape::Int)],
        Shape::Text,
        "A part of a range: its prefix made longer by that many bits, and of the parts the one of that number.",
        ("cidrsubnet(\"10.0.0.0/16\", 8, 2)", "\"10.0.2.0/24\""),
        |a| {
            let net = range(a)?;
            let bits = u8::try_from(count(a, 1)?)
                .map_err(|_| Fault::Argument(1, "a prefix does not have so many bits".to_owned()))?;
            subnet(net, bits, a, 2)
        },
    ),
    Function::pure(
        "cidrhost",
        &[parameter("range", Shape::Text), parameter("number", Shape::Int)],
        Shape::Text,
        "An address of a range by its number; a negative number counts from the end.",
        ("cidrhost(\"10.0.0.0/24\", 5)", "\"10.0.0.5\""),
        |a| {
            let net = range(a)?;
            let missing = || Fault::Argument(1, "the range has no such address".to_owned());
            let number = int(a, 1)?;
            let (first, last) = (number_of(net.network()), number_of(net.broadcast()));
            let distance = u128::from(number.unsigned_abs());
            let at = if number < 0 { last.checked_sub(distance - 1) } else { first.checked_add(distance) };
            let at = at.filter(|at| (first..=last).contains(at)).ok_or_else(missing)?;
            Ok(Val::text(address(net.network(), at - first).ok_or_else(missing)?.to_string()))
        },
    ),
    Function::pure(
        "cidrnetmask",
        &[parameter("range", Shape::Text)],
        Shape::Text,
        "The netmask of an IPv4 range.",
        ("cidrnetmask(\"10.0.0.0/20\")", "\"255.255.240.0\""),
        |a| match range(a)? {
            IpNet::V4(net) => Ok(Val::text(net.netmask().to_string())),
            IpNet::V6(_) => Err(Fault::Argument(0, "an IPv6 range has no netmask".to_owned())),
        },
    ),
    Function::pure(
        "cidrsubnets",
        &[parameter("range", Shape::Text), parameter("bits", Shape::Int)],
        Shape::Texts,
        "Parts of a range one after another, each with its prefix longer by that many bits.",
        ("cidrsubnets(\"10.0.0.0/16\", 8, 8, 4)", "[\"10.0.0.0/24\", \"10.0.1.0/24\", \"10.0.16.0/20\"]"),
        subnets,
    )
    .variadic(),
    Function::pure(
        "cidrcontains",
        &[parameter("range", Shape::Text), parameter("inner", Shape::Text)],
        Shape::Bool,
        "Whether a range contains an address or another range.",
        ("cidrcontains(\"10.0.0.0/8\", \"10.1.2.3\")", "true"),
        |a| {
            let outer = range(a)?;
            let inner = text(a, 1)?;
            let inner = IpNet::from_str(inner).ok().or_else(|| IpAddr::from_str(inner).ok().map(IpNet::from));
            inner
                .map(|inner| Val::Bool(outer.contains(&inner)))
                .ok_or_else(|| Fault::Argument(1, "this is no address and no range".to_owned()))
        },
    ),
];

fn range(a: &[Val]) -> Result<IpNet, Fault> {
    let net = IpNet::from_str(text(a, 0)?)
        .map_err(|_| Fault::Argument(0, "this is no address range such as 10.0.0.0/16".to_owned()))?;
    Ok(net.trunc())
}

fn number_of(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(u32::from(address)),
        IpAddr::V6(address) => u128::from(address),
    }
}

fn address(base: IpAddr, offset: u128) -> Option<IpAddr> {
    let number = number_of(base).checked_add(offset)?;
    Some(match base {
        IpAddr::V4(_) => IpAddr::V4(u32::try_from(number).ok()?.into()),
        IpAddr::V6(_) => IpAddr::V6(number.into()),
    })
}

/// The part of `net` with a prefix longer by `bits`, of the number that argument `at` says.
fn subnet(net: IpNet, bits: u8, a: &[Val], at: usize) -> Result<Val, Fault> {
    let prefix =
        net.prefix_len().checked_add(bits).filter(|prefix| *prefix <= net.max_prefix_len()).ok_or_else(|| {
            Fault::Argument(1, format!("a /{} cannot be made longer by {bits} bits", net.prefix_len()))
        })?;
    let number = count(a, at)? as u128;
    if u32::from(bits) < 128 && number >= 1_u128 << bits {
        return Err(Fault::Argument(at, format!("{bits} bits make {} parts, from 0 on", 1_u128 << bits)));
    }
    let shift = u32::from(net.max_prefix_len() - prefix);
    let offset = number.checked_shl(shift).unwrap_or(0);
    let network =
        address(net.network(), offset).ok_or_else(|| Fault::Argument(at, "the range has no such part".to_owned()))?;
    Ok(Val::text(format!("{network}/{prefix}")))
}

fn subnets(a: &[Val]) -> Result<Val, Fault> {
    let net = range(a)?;
    let end = number_of(net.broadcast());
    let mut next = Some(number_of(net.network()));
    let mut parts = Vec::new();
    for at in 1..a.len() {
        let bits = u8::try_from(count(a, at)?).ok().and_then(|bits| net.prefix_len().checked_add(bits));
        let prefix = bits
            .filter(|prefix| *prefix <= net.max_prefix_len())
            .ok_or_else(|| Fault::Argument(at, "the prefix does not have so many bits".to_owned()))?;
        let size = 1_u128.checked_shl(u32::from(net.max_prefix_len() - prefix)).unwrap_or(u128::MAX);
        let full = || Fault::Argument(at, "the range has no room for this part".to_owned());
        // Parts begin at multiples of their size.
        let start = next.and_then(|next| next.checked_add(size - 1)).map(|at| at / size * size).ok_or_else(full)?;
        let last = start.checked_add(size - 1).filter(|last| *last <= end).ok_or_else(full)?;
        let network = address(net.network(), start - number_of(net.network())).ok_or_else(full)?;
        parts.push(Val::text(format!("{network}/{prefix}")));
        next = last.checked_add(1);
    }
    Ok(Val::list(parts))
}
