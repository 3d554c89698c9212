/// Where the files of one backup repository are: the only place that makes and parses their names.
///
/// ```
/// REPOSITORY                                what it is, and whose
/// LOCK                                      held while a backup is made or old ones are removed
/// log/<branch>/<first LSN>-<uid>.seg        an archived log segment (docs/formats/repository.md)
/// log/<branch>/KEYS                         the key registry as that branch last had it
/// files/<uid>-<XXH3-64>.sst|.blob           tables and blob files, of all backups
/// backups/<id>/BACKUP                       a base backup's manifest
/// backups/<id>/FORMAT CURRENT MANIFEST-* KEYS
/// backups/<id>.partial                      unfinished
/// *.tmp                                     unfinished
/// ```
public struct RepositoryNames: Hashable, Sendable {
    /// The repository's directory, without a slash at its end.
    public let root: String

    /// The names below `root`; slashes at its end are dropped.
    public init(root: String) {
        var root = root
        while root.utf8.count > 1, root.hasSuffix("/") { root.removeLast() }
        self.root = root
    }

    var marker: String { root + "/REPOSITORY" }
    var lock: String { root + "/LOCK" }
    var log: String { root + "/log" }
    var files: String { root + "/files" }
    var backups: String { root + "/backups" }
    static let partialSuffix = ".partial"
    static let segmentSuffix = ".seg"
    static let backupManifest = "BACKUP"

    func branch(_ branch: UID) -> String { log + "/" + branch.description }
    func keys(_ branch: UID) -> String { self.branch(branch) + "/KEYS" }
    func segment(_ branch: UID, _ firstLSN: LSN, _ uid: UID) -> String {
        self.branch(branch) + "/" + FileNames.hex(firstLSN.rawValue) + "-" + uid.description
            + Self.segmentSuffix
    }
    func backup(_ id: String) -> String { backups + "/" + id }
    func manifest(_ id: String) -> String { backup(id) + "/" + Self.backupManifest }
    func file(_ file: BackupManifest.File) -> String { files + "/" + Self.fileName(file) }

    static func fileName(_ file: BackupManifest.File) -> String {
        file.uid.description + "-" + FileNames.hex(file.hash)
            + (file.kind == .blob ? ".blob" : ".sst")
    }

    /// A backup's id: letters, digits and hyphens, so that it is a file name and nothing else.
    static func isBackupID(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= 64
            && text.utf8.allSatisfy {
                (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0)
                    || $0 == 45
            }
    }
}
