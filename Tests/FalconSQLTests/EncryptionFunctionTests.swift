import Testing

@testable import FalconSQL
@testable import FalconStorage

/// SHOW falcon.tde_status, falcon.rotate_master_key() and falcon.rotate_data_keys().
@Suite struct EncryptionFunctionTests {
    private static let key = EncryptionOptions(masterKey: .key([UInt8](repeating: 7, count: 32)))

    @Test func aSuperuserRotatesKeys() throws {
        let database = try TestDatabase(encryption: Self.key)
        let session = try database.session()
        #expect(try session.query("SHOW falcon.tde_status") == "on")
        try database.fileSystem.replace("/new", with: [UInt8](repeating: 8, count: 32))
        let keys = try #require(database.engine.encryptionStatus()).keys
        _ = try session.query("SELECT falcon.rotate_data_keys()")
        let rotated = try #require(database.engine.encryptionStatus()).keys
        #expect(rotated.generation > keys.generation)
        #expect(rotated.keys.count(where: { !$0.isActive }) == keys.keys.count)
        _ = try session.query("SELECT falcon.rotate_master_key('key_file', '/new')")
        // The old master key opens it no more.
        #expect(throws: StorageError.self) {
            try KeyRing.open(root: "/db", Self.key.masterKey, database.fileSystem)
        }
        _ = try KeyRing.open(root: "/db", .keyFile("/new"), database.fileSystem)
    }

    @Test(arguments: [
        ("SELECT falcon.rotate_master_key('key_file', '/none')", "22023"),
        ("SELECT falcon.rotate_master_key('key_command', 'exit 3')", "22023"),
        ("SELECT falcon.rotate_master_key('passphrase', 'x')", "22023"),
    ])
    func aBadSourceChangesNothing(sql: String, state: String) throws {
        let database = try TestDatabase(encryption: Self.key)
        let before = try #require(database.engine.encryptionStatus()).keys
        #expect(try database.session().failure(sql)?.state.rawValue == state)
        #expect(database.engine.encryptionStatus()?.keys == before)
    }

    /// A key command runs as the server does.
    @Test(arguments: [
        "SELECT falcon.rotate_data_keys()",
        "SELECT falcon.rotate_master_key('key_command', 'touch /tmp/falcon-must-not-exist')",
    ])
    func othersMayNot(sql: String) throws {
        let database = try TestDatabase(encryption: Self.key)
        let session = try database.session(user: "somebody")
        #expect(session.failure(sql)?.state.rawValue == "42501")
    }

    @Test func withoutEncryptionThereIsNothingToRotate() throws {
        let session = try TestDatabase().session()
        #expect(try session.query("SHOW falcon.tde_status") == "off")
        #expect(session.failure("SELECT falcon.rotate_data_keys()")?.state.rawValue == "55000")
    }
}
