/// Writes to MANIFEST which files are damaged. A file counts as damaged only once it says so there.
final class DamageRecords: @unchecked Sendable {
    let tree: Tree
    let versions: VersionSet
    let store: TableStore
    let events: EngineEvents
    let clock: any StorageClock
    /// Called after a file was recorded, or is recorded no more. Set once, before anything is noted.
    private(set) var onChange: () -> Void = {}

    init(
        tree: Tree, versions: VersionSet, store: TableStore, events: EngineEvents,
        clock: any StorageClock
    ) {
        self.tree = tree
        self.versions = versions
        self.store = store
        self.events = events
        self.clock = clock
    }

    func begin(onChange: @escaping () -> Void) { self.onChange = onChange }

    var version: Version { tree.state.version }

    func add(_ record: QuarantineRecord) throws(StorageError) {
        var edit = VersionEdit()
        edit.quarantined = [record]
        try versions.note(edit)
    }

    func remove(_ file: FileNumber) throws(StorageError) {
        var edit = VersionEdit()
        edit.released = [file]
        try versions.note(edit)
    }
}
