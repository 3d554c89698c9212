/// A directory that a restore was still building when it was ended: parts of a database, which must not be taken for
/// one. The next restore to the same place replaces it.
enum UnfinishedRestore {
    /// Throws where `names` is one.
    static func refuse(
        _ names: FileNames, _ fileSystem: any FileSystem
    ) throws(StorageError) {
        guard try fileSystem.exists(names.restoreMarker) else { return }
        throw error(names)
    }

    static func error(_ names: FileNames) -> StorageError {
        StorageError(
            .invalidArgument, kind: .user,
            "The directory is a restore that is not finished: it holds parts of a database only.",
            location: .init(path: names.restoreMarker),
            hint: "Where pitr-restore or sst-verify --salvage still runs, wait for its end; else "
                + "run it again, which replaces the directory.")
    }
}
