import FalconSchema
import FalconStorage

/// A database of the cluster, as the shared catalog has it.
struct DatabaseEntry: Sendable {
    var oid: OID
    var id: DatabaseID
    var name: String
    var isTemplate = false
    var allowsConnections = true
    /// -1: none.
    var connectionLimit: Int32 = -1

    /// PostgreSQL's own, and their OIDs.
    static let template1 = "template1"
    static let template0 = "template0"
    static let builtInOIDs = ["postgres": OID(5), template1: OID(1), template0: OID(4)]

    var key: [UInt8] { CatalogKeys.key(CatalogKeys.shared, CatalogKeys.databases, oid) }

    var encoded: [UInt8] {
        var value = ByteWriter()
        value.appendFixed(id.rawValue)
        value.appendLengthPrefixed(name)
        // Rows of plain databases may end here.
        if isTemplate || !allowsConnections || connectionLimit != -1 {
            value.append((isTemplate ? 1 : 0) | (allowsConnections ? 0 : 2))
            value.appendFixed(connectionLimit)
        }
        return value.bytes
    }

    init(oid: OID, id: DatabaseID, name: String) {
        self.oid = oid
        self.id = id
        self.name = name
        isTemplate = name == Self.template1 || name == Self.template0
        allowsConnections = name != Self.template0
    }

    init(_ oid: OID, decoding value: UnsafeRawBufferPointer) throws(SQLError) {
        var reader = ByteReader(value)
        guard let id = reader.readFixed(UInt32.self), let name = reader.readString() else {
            throw Self.damaged
        }
        self.oid = oid
        self.id = DatabaseID(id)
        self.name = name
        guard reader.remaining > 0 else { return }
        guard let flags = reader.readByte(), let limit = reader.readFixed(Int32.self) else {
            throw Self.damaged
        }
        isTemplate = flags & 1 != 0
        allowsConnections = flags & 2 == 0
        connectionLimit = limit
    }

    private static var damaged: SQLError {
        SQLError(.dataCorrupted, "catalog row of a database is damaged")
    }
}

/// What a commit does to the cluster's databases and roles.
enum DatabaseChange: Sendable {
    case created(DatabaseState)
    case dropped(DatabaseState)
    /// Also of a role that is dropped.
    case putRole(RoleEntry)
}
