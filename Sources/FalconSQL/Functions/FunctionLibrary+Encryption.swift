import FalconSchema
import FalconStorage

/// falcon.rotate_data_keys() and falcon.rotate_master_key(kind, source).
extension FunctionLibrary {
    mutating func addEncryption() {
        nullary("falcon_rotate_data_keys") { c throws(SQLError) in
            try Self.checkSuperuser(c)
            try Self.change(c) { engine throws(StorageError) in try engine.rotateDataKeys() }
            return .text("")
        }
        binary("falcon_rotate_master_key") { (kind, source, c) throws(SQLError) in
            try Self.checkSuperuser(c)
            let source = try Self.source(kind.text, source.text)
            try Self.change(c) { engine throws(StorageError) in
                try engine.rotateMasterKey(to: source)
            }
            return .text("")
        }
    }

    static func bridged(_ context: FunctionContext) throws(SQLError) -> Session {
        guard let session = (context.session as? SessionBridge)?.session else {
            throw SQLError(.objectNotInPrerequisiteState, "no session")
        }
        return session
    }

    /// A key command is run as the server, and a key file read as it.
    private static func checkSuperuser(_ context: FunctionContext) throws(SQLError) {
        let session = try bridged(context)
        guard session.database.isSuperuser(session.settings.user) else {
            throw SQLError(.insufficientPrivilege, "must be superuser to rotate encryption keys")
        }
    }

    private static func change(
        _ context: FunctionContext, _ body: (StorageEngine) throws(StorageError) -> Void
    ) throws(SQLError) {
        let engine = try bridged(context).database.engine
        do throws(StorageError) {
            try body(engine)
        } catch  where error.code == .invalidArgument {
            throw SQLError(
                .objectNotInPrerequisiteState, "the data directory is not encrypted",
                hint: "Start the server with storage.encryption.")
        } catch  where error.code == .keyMissing {
            throw SQLError(.invalidParameterValue, error.message, detail: error.cause)
        } catch {
            throw SQLError(storage: error)
        }
    }

    /// The kinds are those of the configuration; a passphrase itself must not be in a statement, which is logged.
    private static func source(
        _ kind: String, _ source: String
    ) throws(SQLError) -> MasterKeySource {
        switch kind {
        case "key_file": return .keyFile(source)
        case "passphrase_file": return .passphraseFile(source)
        case "key_command": return .command(source)
        default:
            throw SQLError(
                .invalidParameterValue, "unrecognized kind of master key: \"\(kind)\"",
                hint: "Use key_file, passphrase_file or key_command.")
        }
    }
}
