//! Made-up messages.
#![allow(dead_code, reason = "each test binary uses a part of this module")]

use ldap_wire::{
    AddRequest, Attribute, Authentication, BindRequest, BindResponse, Change, CompareRequest,
    Control, DerefAliases, ExtendedRequest, ExtendedResponse, Filter, IntermediateResponse,
    LdapMessage, LdapResult, ModifyDnRequest, ModifyOperation, ModifyRequest, ProtocolOp,
    ResultCode, Scope, SearchRequest, SearchResultEntry,
};
use proptest::{collection::vec, option, prelude::*};

pub(crate) fn message() -> impl Strategy<Value = LdapMessage> {
    let control = (text(), any::<bool>(), option::of(octets()))
        .prop_map(|(oid, critical, value)| Control { oid, critical, value });
    (0..=0x7fff_ffff_u32, operation(), vec(control, 0..3))
        .prop_map(|(id, op, controls)| LdapMessage { id, op, controls })
}

fn operation() -> impl Strategy<Value = ProtocolOp> {
    let requests = prop_oneof![
        (0..=9_u32, text(), authentication()).prop_map(|(version, name, authentication)| {
            ProtocolOp::BindRequest(BindRequest { version, name, authentication })
        }),
        Just(ProtocolOp::UnbindRequest),
        search().prop_map(ProtocolOp::SearchRequest),
        (text(), vec((operation_of_change(), attribute()), 0..3)).prop_map(|(object, changes)| {
            let change = |(operation, modification)| Change { operation, modification };
            let changes = changes.into_iter().map(change).collect();
            ProtocolOp::ModifyRequest(ModifyRequest { object, changes })
        }),
        (text(), vec(attribute(), 0..3)).prop_map(|(entry, attributes)| {
            ProtocolOp::AddRequest(AddRequest { entry, attributes })
        }),
        text().prop_map(ProtocolOp::DelRequest),
        (text(), text(), any::<bool>(), option::of(text())).prop_map(
            |(entry, new_rdn, delete_old_rdn, new_superior)| {
                ProtocolOp::ModifyDnRequest(ModifyDnRequest {
                    entry,
                    new_rdn,
                    delete_old_rdn,
                    new_superior,
                })
            }
        ),
        (text(), text(), octets()).prop_map(|(entry, attribute, value)| {
            ProtocolOp::CompareRequest(CompareRequest { entry, attribute, value })
        }),
        (0..=0x7fff_ffff_u32).prop_map(ProtocolOp::AbandonRequest),
        (text(), option::of(octets())).prop_map(|(name, value)| {
            ProtocolOp::ExtendedRequest(ExtendedRequest { name, value })
        }),
    ];
    let responses = prop_oneof![
        (result(), option::of(octets())).prop_map(|(result, server_sasl_credentials)| {
            ProtocolOp::BindResponse(BindResponse { result, server_sasl_credentials })
        }),
        (text(), vec(attribute(), 0..3)).prop_map(|(dn, attributes)| {
            ProtocolOp::SearchResultEntry(SearchResultEntry { dn, attributes })
        }),
        vec(text(), 0..3).prop_map(ProtocolOp::SearchResultReference),
        result().prop_map(ProtocolOp::SearchResultDone),
        result().prop_map(ProtocolOp::ModifyResponse),
        result().prop_map(ProtocolOp::AddResponse),
        result().prop_map(ProtocolOp::DelResponse),
        result().prop_map(ProtocolOp::ModifyDnResponse),
        result().prop_map(ProtocolOp::CompareResponse),
        (result(), option::of(text()), option::of(octets())).prop_map(|(result, name, value)| {
            ProtocolOp::ExtendedResponse(ExtendedResponse { result, name, value })
        }),
        (option::of(text()), option::of(octets())).prop_map(|(name, value)| {
            ProtocolOp::IntermediateResponse(IntermediateResponse { name, value })
        }),
    ];
    prop_oneof![requests, responses]
}

fn authentication() -> impl Strategy<Value = Authentication> {
    prop_oneof![
        octets().prop_map(Authentication::Simple),
        (text(), option::of(octets())).prop_map(|(mechanism, credentials)| {
            Authentication::Sasl { mechanism, credentials }
        }),
        (0x89..=0x8b_u8, octets())
            .prop_map(|(tag, content)| Authentication::Other { tag, content }),
    ]
}

fn operation_of_change() -> impl Strategy<Value = ModifyOperation> {
    prop::sample::select(vec![
        ModifyOperation::Add,
        ModifyOperation::Delete,
        ModifyOperation::Replace,
        ModifyOperation::Increment,
    ])
}

fn search() -> impl Strategy<Value = SearchRequest> {
    let scope =
        prop::sample::select(vec![Scope::BaseObject, Scope::SingleLevel, Scope::WholeSubtree]);
    let deref = prop::sample::select(vec![
        DerefAliases::Never,
        DerefAliases::InSearching,
        DerefAliases::FindingBase,
        DerefAliases::Always,
    ]);
    let limits = (0..=0x7fff_ffff_u32, 0..=0x7fff_ffff_u32, any::<bool>());
    (text(), scope, deref, limits, filter(), vec(text(), 0..4)).prop_map(
        |(base, scope, deref, (size_limit, time_limit, types_only), filter, attributes)| {
            SearchRequest {
                base,
                scope,
                deref,
                size_limit,
                time_limit,
                types_only,
                filter,
                attributes,
            }
        },
    )
}

pub(crate) fn filter() -> impl Strategy<Value = Filter> {
    let substrings = (name(), option::of(part()), vec(part(), 0..3), option::of(part()))
        .prop_filter("a substring filter has parts", |(_, initial, any, last)| {
            initial.is_some() || last.is_some() || !any.is_empty()
        })
        .prop_map(|(attribute, initial, any, last)| Filter::Substrings {
            attribute,
            initial,
            any,
            last,
        });
    let extensible = (option::of(name()), option::of(name()), octets(), any::<bool>())
        .prop_filter("some name is there, and no rule is called dn", |(rule, attribute, ..)| {
            let dn = rule.as_ref().is_some_and(|rule| rule.eq_ignore_ascii_case("dn"));
            !dn && (rule.is_some() || attribute.is_some())
        })
        .prop_map(|(rule, attribute, value, dn_attributes)| Filter::Extensible {
            rule,
            attribute,
            value,
            dn_attributes,
        });
    let assertion = || (name(), octets());
    let leaf = prop_oneof![
        assertion().prop_map(|(attribute, value)| Filter::Equality { attribute, value }),
        assertion().prop_map(|(attribute, value)| Filter::GreaterOrEqual { attribute, value }),
        assertion().prop_map(|(attribute, value)| Filter::LessOrEqual { attribute, value }),
        assertion().prop_map(|(attribute, value)| Filter::Approx { attribute, value }),
        name().prop_map(Filter::Present),
        substrings,
        extensible,
    ];
    leaf.prop_recursive(4, 20, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Filter::And),
            vec(inner.clone(), 0..4).prop_map(Filter::Or),
            inner.prop_map(|filter| Filter::Not(Box::new(filter))),
        ]
    })
}

fn result() -> impl Strategy<Value = LdapResult> {
    (0..=0x7fff_ffff_u32, text(), text(), vec(text(), 0..3)).prop_map(
        |(code, matched_dn, diagnostic, referrals)| LdapResult {
            code: ResultCode(code),
            matched_dn,
            diagnostic,
            referrals,
        },
    )
}

fn attribute() -> impl Strategy<Value = Attribute> {
    (text(), vec(octets(), 0..4)).prop_map(|(name, values)| Attribute { name, values })
}

fn name() -> impl Strategy<Value = String> {
    "[a-zA-Z0-9.;-]{1,12}"
}

fn text() -> impl Strategy<Value = String> {
    "\\PC{0,30}"
}

fn part() -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), 1..12)
}

fn octets() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![4 => vec(any::<u8>(), 0..20), 1 => vec(any::<u8>(), 120..300)]
}
