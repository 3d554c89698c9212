import FalconChanges
import FalconStorage

/// Where a replication slot of a data directory is.
enum SlotPlace {
    /// The slot of that name; nil when none is asked for. Throws when there is none, or it is lost.
    static func find(
        _ name: String?, root: String, _ environment: StorageEnvironment
    ) throws(StorageError) -> ReplicationSlot? {
        guard let name else { return nil }
        let engine = try StorageEngine.look(at: root, environment: environment)
        defer { try? engine.close() }
        let slots = try ReplicationSlotStore(engine).list()
        guard let slot = slots.first(where: { $0.name == name }) else {
            let names = slots.map(\.name).joined(separator: ", ")
            throw .invalidArgument(
                "There is no replication slot '\(name)'.",
                hint: slots.isEmpty ? "There are none." : "There are: \(names).")
        }
        if let loss = slot.loss {
            throw StorageError(
                .targetUnreachable, kind: .user, "The replication slot '\(name)' is lost.",
                cause: loss.reason, location: .init(path: root),
                hint: "Start over from a snapshot (--snapshot).")
        }
        return slot
    }
}
