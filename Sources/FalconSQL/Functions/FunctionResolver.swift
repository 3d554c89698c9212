import FalconSchema

/// Chooses functions, operators and casts as PostgreSQL does (parse_func.c, parse_oper.c,
/// parse_coerce.c). `OID.unknown` stands for untyped literals and parameters.
public enum FunctionResolver {
    /// Nil: no such function for these arguments (42883 with the caller's location); throws 42725
    /// when ambiguous. `schema` is nil or as written. `isVariadic`: VARIADIC was written before the
    /// last argument. `names` parallel to `arguments` when any argument was named, else empty.
    public static func function(
        schema: String?, name: String, arguments: [OID], names: [String?] = [],
        isVariadic: Bool = false
    ) throws(SQLError) -> ResolvedFunction? { nil }

    /// The function with this OID.
    public static func function(oid: OID) -> FunctionDescriptor? { nil }

    /// Any function of this name exists.
    public static func functionExists(schema: String?, name: String) -> Bool { false }

    /// `left` nil: prefix operator. Nil: none; throws 42725 when ambiguous.
    public static func `operator`(
        schema: String?, name: String, left: OID?, right: OID
    ) throws(SQLError) -> ResolvedOperator? { nil }

    /// Nil: no way from `from` to `to` within `context`.
    public static func cast(from: OID, to: OID, context: CastContext) -> CastPath? { nil }

    /// The function that applies a type's modifier as a value function (varchar(n), numeric(p,s),
    /// timestamp(p)) is ``TypeIO/coerce(_:toModifierOf:explicit:)``; no cast entry is needed for it.
    ///
    /// The common type of UNION, CASE, COALESCE, VALUES, ARRAY branches (select_common_type); nil
    /// when there is none.
    public static func commonType(_ types: [OID]) -> OID? { nil }
}
