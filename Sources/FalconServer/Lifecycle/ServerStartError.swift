import FalconSQL
import FalconSchema
import FalconStorage

/// Why the server did not start, and what to do about it.
struct ServerStartError: Error, CustomStringConvertible {
    var description: String
    /// Of the process; 6 as the tools say it: an encryption key is missing or wrong.
    var exitStatus: Int32 = 1
    init(_ description: String) { self.description = description }

    static func engine(_ error: StorageError, path: String) -> ServerStartError {
        switch error.code {
        case .inUse:
            ServerStartError(
                "the data directory \(path) is in use by another process. Stop that server, or "
                    + "choose another directory with --data-dir. (\(error.message))")
        case .unsupportedFormat:
            ServerStartError(
                "the data directory \(path) needs a newer FalconDB than \(FalconVersion.current): "
                    + "\(error)")
        case .corruption:
            ServerStartError(
                "the data directory \(path) is damaged: \(error)\n"
                    + "Nothing was changed. sst-verify and wal-inspect show the extent; "
                    + "pitr-restore recovers what the log holds.")
        case .keyMissing: ServerStartError(keys: error, path: path)
        default:
            ServerStartError("cannot open the data directory \(path): \(error)")
        }
    }

    private init(keys error: StorageError, path: String) {
        description =
            "the data directory \(path) cannot be decrypted: \(error)\nNothing was read or changed. "
            + "Set storage.encryption_key_file, encryption_passphrase_file or encryption_key_command."
        exitStatus = 6
    }

    static func listener(
        _ error: any Error, what: String, address: NetworkAddress, flag: String
    ) -> ServerStartError {
        let text = String(describing: error)
        if text.contains("Address already in use") || text.contains("errno: 98") {
            return ServerStartError(
                "\(what) address \(address) is in use by another process. "
                    + "Stop it, or choose another with \(flag).")
        }
        return ServerStartError("cannot listen on \(what) address \(address): \(text)")
    }
}
