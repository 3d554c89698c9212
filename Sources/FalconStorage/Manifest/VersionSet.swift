import Synchronization

/// The live version and the counters that MANIFEST persists; the only writer of MANIFEST.
final class VersionSet: @unchecked Sendable {
    let store: TableStore
    private let nextFile: Atomic<UInt64>
    /// Serialises edits: the manifest's writer and ``current`` change together.
    private let writer: Mutex<ManifestWriter>
    private let state: Mutex<Version>

    init(
        version: Version, nextFileNumber: FileNumber, writer: ManifestWriter, store: TableStore
    ) {
        self.store = store
        nextFile = Atomic(nextFileNumber.rawValue)
        self.writer = Mutex(writer)
        state = Mutex(version)
    }

    var current: Version { state.withLock { $0 } }

    func allocateFileNumber() -> FileNumber {
        FileNumber(nextFile.wrappingAdd(1, ordering: .relaxed).oldValue)
    }

    /// A sync of MANIFEST has failed: it takes no more edits.
    var hasFailed: Bool { writer.withLock { $0.hasFailed } }

    var manifestNumber: UInt64 { writer.withLock { $0.number } }

    /// Makes `edit` durable, then current: `install` is called with the new version before another
    /// edit may begin, and then the files that left are marked obsolete. `known`: files that it adds
    /// and that readers have already.
    func apply(
        _ edit: VersionEdit, known: [FileNumber: TableFile] = [:], install: (Version) -> Void
    ) throws(StorageError) {
        var edit = edit
        var failure: StorageError?
        writer.withLock { writer in
            do throws(StorageError) {
                var applied = try current.applying(edit, store: store, known: known)
                let dead = applied.version.blobs.dead
                if !dead.isEmpty {
                    // Nothing refers to them any more: they go with the edit that made it so.
                    edit.removeBlobs(dead)
                    applied = try current.applying(edit, store: store, known: known)
                }
                assert(applied.version.problem == nil, applied.version.problem ?? "")
                edit.nextFileNumber = FileNumber(nextFile.load(ordering: .relaxed))
                try writer.append(edit)
                state.withLock { $0 = applied.version }
                install(applied.version)
                for file in applied.removed { file.markObsolete() }
                for file in applied.removedBlobs { file.markObsolete() }
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
    }

    /// Makes durable what `edit` says beside the files, which it must not change.
    func note(_ edit: VersionEdit) throws(StorageError) {
        var failure: StorageError?
        writer.withLock { writer in
            do throws(StorageError) { try writer.append(edit) } catch { failure = error }
        }
        if let failure { throw failure }
    }

    func close() throws(StorageError) {
        var failure: StorageError?
        writer.withLock { writer in
            do throws(StorageError) { try writer.close() } catch { failure = error }
        }
        if let failure { throw failure }
    }
}
