import FalconSchema

/// The has_…_privilege family: whether what is asked about exists, and whether the privilege is one.
/// Every role may do everything, so the answer to a question that makes sense is always true.
enum PrivilegeInquiry {
    enum Object: String, CaseIterable {
        case table, sequence, database, function, language, schema, tablespace, server, type
        case foreignDataWrapper = "foreign_data_wrapper"
        case anyColumn = "any_column"

        var privileges: Set<String> {
            switch self {
            case .table:
                [
                    "select", "insert", "update", "delete", "truncate", "references", "trigger",
                    "rule",
                ]
            case .anyColumn: PrivilegeInquiry.columnPrivileges
            case .sequence: ["usage", "select", "update"]
            case .database: ["create", "temporary", "temp", "connect"]
            case .function: ["execute"]
            case .schema: ["create", "usage"]
            case .tablespace: ["create"]
            case .language, .server, .type, .foreignDataWrapper: ["usage"]
            }
        }
    }

    static let columnPrivileges: Set<String> = ["select", "insert", "update", "references"]

    /// (role,) object, privilege: the object and the role by name or by OID.
    static func answer(
        _ object: Object, _ arguments: [Datum], _ context: FunctionContext
    ) throws(SQLError) -> Datum {
        guard arguments.count >= 2 else { return .null }
        if arguments.count > 2 { try checkRole(arguments[0], context) }
        let subject = arguments[arguments.count - 2]
        let privileges = arguments[arguments.count - 1].text
        if case .text(let name) = subject {
            try check(object, named: name, context)
            try check(privileges, among: object.privileges)
            return .bool(true)
        }
        try check(privileges, among: object.privileges)
        return exists(object, OID(UInt32(truncatingIfNeeded: subject.int)), context)
            ? .bool(true) : .null
    }

    /// (role,) table, column, privilege; the column by name or by number.
    static func columnAnswer(
        _ arguments: [Datum], _ context: FunctionContext
    ) throws(SQLError) -> Datum {
        guard arguments.count >= 3 else { return .null }
        if arguments.count > 3 { try checkRole(arguments[0], context) }
        let subject = arguments[arguments.count - 3]
        let column = arguments[arguments.count - 2]
        let oid: OID
        if case .text(let name) = subject {
            oid = OID(UInt32(truncatingIfNeeded: try look(up: name, .regclass, context).int))
        } else {
            oid = OID(UInt32(truncatingIfNeeded: subject.int))
        }
        let table = context.session?.relation(oid)
        if case .text(let name) = column, let table, !table.columns.contains(name) {
            throw SQLError(
                .undefinedColumn,
                "column \"\(name)\" of relation \"\(table.name)\" does not exist")
        }
        try check(arguments[arguments.count - 1].text, among: columnPrivileges)
        guard let table else { return .null }
        if case .int(let number) = column {
            guard number >= 1, number <= Int64(table.columns.count),
                table.columns[Int(number) - 1] != nil
            else { return .null }
        }
        return .bool(true)
    }

    /// pg_has_role: (role,) role, privilege.
    static func roleAnswer(
        _ arguments: [Datum], _ context: FunctionContext
    ) throws(SQLError) -> Datum {
        for role in arguments.dropLast() { try checkRole(role, context) }
        try check(
            arguments.last?.text ?? "", among: ["usage", "member", "usage with admin option"])
        return .bool(true)
    }

    private static func checkRole(_ role: Datum, _ context: FunctionContext) throws(SQLError) {
        guard case .text(let name) = role, name != "public",
            name != context.session?.userName, name != context.session?.sessionUserName
        else { return }
        _ = try context.settings.names?.lookup(Identifier.quoted(name), as: .regrole)
    }

    private static func check(
        _ list: String, among known: Set<String>
    ) throws(SQLError) {
        for part in list.split(separator: ",", omittingEmptySubsequences: false) {
            let text = part.drop { $0 == " " }
            let word = String(text.reversed().drop { $0 == " " }.reversed())
            var plain = word.lowercased()
            let suffix = " with grant option"
            if plain.hasSuffix(suffix) { plain = String(plain.dropLast(suffix.count)) }
            guard known.contains(plain) else {
                throw SQLError(
                    .invalidParameterValue, "unrecognized privilege type: \"\(word)\"")
            }
        }
    }

    private static func look(
        up name: String, _ type: OID, _ context: FunctionContext
    ) throws(SQLError) -> Datum {
        try TypeIO.parseText(name, type: SQLType(type), settings: context.settings)
    }

    private static func check(
        _ object: Object, named name: String, _ context: FunctionContext
    ) throws(SQLError) {
        switch object {
        case .table, .anyColumn: _ = try look(up: name, .regclass, context)
        case .sequence:
            let oid = OID(UInt32(truncatingIfNeeded: try look(up: name, .regclass, context).int))
            if context.session?.relation(oid)?.kind != .sequence {
                throw SQLError(.wrongObjectType, "\"\(name)\" is not a sequence")
            }
        case .function: _ = try look(up: name, .regprocedure, context)
        case .type: _ = try look(up: name, .regtype, context)
        case .schema:
            _ = try context.settings.names?.lookup(Identifier.quoted(name), as: .regnamespace)
        case .database:
            guard context.session?.databaseNames.contains(name) ?? false else {
                throw SQLError(
                    SQLState("3D000"), "database \"\(name)\" does not exist")
            }
        case .language:
            try require(["internal", "c", "sql"].contains(name), "language", name)
        case .tablespace:
            try require(["pg_default", "pg_global"].contains(name), "tablespace", name)
        case .server: try require(false, "server", name)
        case .foreignDataWrapper: try require(false, "foreign-data wrapper", name)
        }
    }

    private static func require(
        _ exists: Bool, _ kind: String, _ name: String
    ) throws(SQLError) {
        if !exists {
            throw SQLError(.undefinedObject, "\(kind) \"\(name)\" does not exist")
        }
    }

    private static func exists(
        _ object: Object, _ oid: OID, _ context: FunctionContext
    ) -> Bool {
        switch object {
        case .table, .anyColumn, .sequence: context.session?.relation(oid) != nil
        case .function: FunctionResolver.function(oid: oid) != nil
        case .type: TypeRegistry.descriptor(oid) != nil
        case .schema: context.settings.names?.text(of: oid, as: .regnamespace) != nil
        case .database: context.session?.databaseExists(oid) ?? false
        case .language: [12, 13, 14].contains(oid.rawValue)
        case .tablespace: [1663, 1664].contains(oid.rawValue)
        case .server, .foreignDataWrapper: false
        }
    }
}
