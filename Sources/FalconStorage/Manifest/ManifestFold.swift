/// What a manifest's edits come to, as one edit from nothing: the version is made once, however many edits
/// and files there are.
struct ManifestFold {
    private var files: [FileNumber: VersionEdit.Addition] = [:]
    private var flushedLSN = LSN.zero
    private var safepoint = Timestamp.zero

    /// Throws when `edit` contradicts those before it.
    mutating func add(_ edit: VersionEdit) throws(StorageError) {
        for removal in edit.removed {
            guard let known = files.removeValue(forKey: removal.number),
                known.level == removal.level || known.file.kind == .blob
            else {
                throw StorageError(
                    .internalError, kind: .bug,
                    "An edit removes file \(FileNames.hex(removal.number.rawValue)), which is not "
                        + "in level \(removal.level).")
            }
        }
        for addition in edit.added {
            guard files.updateValue(addition, forKey: addition.file.number) == nil else {
                throw StorageError(
                    .internalError, kind: .bug,
                    "An edit adds file \(FileNames.hex(addition.file.number.rawValue)), which is "
                        + "there already.")
            }
        }
        flushedLSN = max(flushedLSN, edit.flushedLSN ?? .zero)
        safepoint = max(safepoint, edit.safepoint ?? .zero)
    }

    func version(_ store: TableStore) throws(StorageError) -> Version {
        var edit = VersionEdit()
        edit.added = Array(files.values)
        edit.flushedLSN = flushedLSN
        edit.safepoint = safepoint
        return try Version.empty.applying(edit, store: store).version
    }
}
