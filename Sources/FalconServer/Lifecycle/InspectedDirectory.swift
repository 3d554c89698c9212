import FalconStorage
import Logging

/// A data directory that `pitr-restore --inspect` made: the server shows it, and writes nothing to it.
enum InspectedDirectory {
    /// Takes it for this process, so that nobody goes on with the restore meanwhile; nil: the directory is an
    /// ordinary one, or opening it will say what is wrong with it.
    static func hold(
        _ config: ServerConfig, _ fileSystem: any FileSystem, _ logger: Logger
    ) throws(ServerStartError) -> (any FileLock)? {
        let root = config.dataDirectory
        do throws(StorageError) {
            guard let found = try RestoreInspection.read(root: root, fileSystem),
                found.state == .ready
            else { return nil }
            if config.dropsDamagedTables {
                throw StorageError(
                    .readOnly, kind: .user,
                    "The directory is a restore's inspection: nothing can be given up in it.",
                    location: .init(path: root), hint: "Start without --drop-damaged-tables.")
            }
            let lock = try RestoreInspection.hold(root: root, fileSystem)
            // It may have been advanced in between.
            guard let held = try RestoreInspection.read(root: root, fileSystem),
                held.state == .ready
            else { return nil }
            let next = "pitr-restore advance \(root) --promote makes a database of it"
            logger.notice(
                "read-only: \(root) is a restore's inspection, up to LSN \(held.endLSN); \(next)")
            return lock
        } catch {
            throw .engine(error, path: root)
        }
    }
}
