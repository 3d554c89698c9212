import FalconSchema
import FalconStorage

/// A role that CREATE ROLE made, as the shared catalog has it. Of its attributes LOGIN and REPLICATION have an
/// effect; passwords are the server's.
struct RoleEntry: Sendable {
    struct Attributes: OptionSet, Sendable {
        var rawValue: UInt8
        static let login = Attributes(rawValue: 1)
        static let replication = Attributes(rawValue: 2)
        static let createsDatabases = Attributes(rawValue: 4)
        static let createsRoles = Attributes(rawValue: 8)
        static let noInheritance = Attributes(rawValue: 16)
        static let bypassesRowSecurity = Attributes(rawValue: 32)
        /// The role is gone. Its name is kept: names of which nobody has heard may log in.
        static let dropped = Attributes(rawValue: 64)
    }

    var oid: OID
    var name: String
    var attributes: Attributes
    var isDropped: Bool { attributes.contains(.dropped) }

    init(oid: OID, name: String, attributes: Attributes = []) {
        self.oid = oid
        self.name = name
        self.attributes = attributes
    }

    init(_ oid: OID, decoding value: UnsafeRawBufferPointer) throws(SQLError) {
        var reader = ByteReader(value)
        guard let flags = reader.readByte(), let name = reader.readString() else {
            throw SQLError(.dataCorrupted, "catalog row of a role is damaged")
        }
        self.init(oid: oid, name: name, attributes: Attributes(rawValue: flags))
    }

    var key: [UInt8] { CatalogKeys.key(CatalogKeys.shared, CatalogKeys.roles, oid) }

    var encoded: [UInt8] {
        var value = ByteWriter()
        value.append(attributes.rawValue)
        value.appendLengthPrefixed(name)
        return value.bytes
    }
}
