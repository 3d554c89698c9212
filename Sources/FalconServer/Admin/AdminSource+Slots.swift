import FalconStorage

extension AdminSource {
    /// What consumers of changes hold of the log, and how far behind they are.
    func appendSlots(_ engine: StorageEngine, _ out: inout MetricsText) {
        let store = ReplicationSlotStore(engine)
        // Whoever asks for the slots by SQL hears why they cannot be read.
        guard let slots = try? store.list(), !slots.isEmpty else { return }
        out.gauge(
            "falcon_slot_lost", "1 for a replication slot that is lost.", label: "slot",
            slots.map { ($0.name, $0.loss == nil ? 0 : 1) })
        out.gauge(
            "falcon_slot_held_bytes", "Ended log files that a replication slot holds.",
            label: "slot", slots.map { ($0.name, store.heldBytes($0)) })
        out.gauge(
            "falcon_slot_behind_bytes", "Log behind a replication slot's confirmed place.",
            label: "slot",
            slots.compactMap { slot in
                // Of an engine that is closing, or shows an inspection: no figure, rather than a wrong one.
                (try? store.behindBytes(slot)).map { (slot.name, $0) }
            })
    }
}
