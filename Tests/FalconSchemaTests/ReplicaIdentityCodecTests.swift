import FalconSchema
import FalconStorage
import Testing

/// A table's REPLICA IDENTITY in its stored form.
@Suite struct ReplicaIdentityCodecTests {
    private static let all: [(ReplicaIdentity, Unicode.Scalar)] = [
        (.primaryKey, "d"), (.full, "f"), (.nothing, "n"), (.index(16_390), "i"),
    ]

    private static func table(_ identity: ReplicaIdentity, references: Bool) -> TableDescriptor {
        var table = CodecTests.table([.int4, .text])
        table.replicaIdentity = identity
        if references {
            table.foreignKeys = [
                ForeignKeyDescriptor(
                    oid: 16_500, name: "fk", columns: [1], referencedTable: 16_384,
                    referencedColumns: [1], referencedIndex: 16_390)
            ]
        }
        return table
    }

    /// Who does not know it must not write such a table; DEFAULT stays as it was, byte by byte.
    @Test func everyIdentityIsStored() throws {
        for (identity, letter) in Self.all {
            for references in [false, true] {
                let bytes = Self.table(identity, references: references).encoded()
                #expect(bytes.first == (identity == .primaryKey ? 1 : 4))
                let back = try bytes.withUnsafeBytes { try TableDescriptor(decoding: $0) }
                #expect(back.replicaIdentity == identity)
                #expect(back.replicaIdentity.letter == letter)
                #expect(back.foreignKeys.count == (references ? 1 : 0))
                #expect(back.encoded() == bytes)
            }
        }
    }

    /// A descriptor that is cut short is damaged, never one with another identity.
    @Test func aCutIdentityIsRefused() throws {
        for (identity, _) in Self.all where identity != .primaryKey {
            let bytes = Self.table(identity, references: true).encoded()
            for count in 0..<bytes.count {
                bytes[..<count].withUnsafeBytes { cut in
                    _ = #expect(throws: SQLError.self, "\(identity), \(count) bytes") {
                        try TableDescriptor(decoding: cut)
                    }
                }
            }
            var wrong = bytes
            let place = bytes.count - (identity == .index(16_390) ? 5 : 1)
            wrong[place] = UInt8(ascii: "x")
            wrong.withUnsafeBytes { wrong in
                _ = #expect(throws: SQLError.self) { try TableDescriptor(decoding: wrong) }
            }
        }
    }

    @Test func aDroppedIndexNamesNothing() {
        var table = Self.table(.index(16_390), references: false)
        #expect(table.identityIndex?.name == "i" && !table.hasNoReplicaIdentity)
        table.indexes = []
        #expect(table.identityIndex == nil && table.hasNoReplicaIdentity)
        table.replicaIdentity = .nothing
        #expect(table.hasNoReplicaIdentity)
        for identity in [ReplicaIdentity.primaryKey, .full] {
            table.replicaIdentity = identity
            #expect(table.identityIndex == nil && !table.hasNoReplicaIdentity)
        }
    }
}
