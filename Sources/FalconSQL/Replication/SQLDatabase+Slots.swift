import FalconSchema
import FalconStorage

/// Slots that nobody reads are looked after while there are any.
extension SQLDatabase {
    private static let slotUpkeepMilliseconds = 30_000

    /// From now on slots are given up when they are too old, until there are none; to be called when one is made.
    func keepSlotsUp() {
        guard !isKeepingSlots.exchange(true, ordering: .acquiringAndReleasing) else { return }
        scheduleSlotUpkeep()
    }

    private func scheduleSlotUpkeep() {
        _ = housekeeping.schedule(afterMilliseconds: Self.slotUpkeepMilliseconds) { [weak self] in
            self?.maintainSlots()
        }
    }

    /// A database was dropped. Not here: the caller is amid a commit.
    func scheduleSlotCleaning() {
        guard isKeepingSlots.load(ordering: .acquiring) else { return }
        _ = housekeeping.schedule(afterMilliseconds: 0) { [weak self] in
            try? self?.dropOrphanedSlots()
        }
    }

    /// A dropped database's slots go with it; those that are in use, the next time.
    func dropOrphanedSlots() throws(StorageError) {
        let known = Set(counted.databases.map(\.id))
        for slot in try slots.list() where !known.contains(slot.database) {
            do throws(StorageError) {
                try slots.drop(slot.name)
            } catch  where error.code == .inUse || error.code == .notFound {}
        }
    }

    private func maintainSlots() {
        do throws(StorageError) {
            try dropOrphanedSlots()
            for lost in try slots.maintain() { options.whenFailing?(Self.lossWarning(lost)) }
            if try slots.list().isEmpty { return isKeepingSlots.store(false, ordering: .releasing) }
        } catch {
            options.whenFailing?(SQLError(storage: error))
            if error.code == .closed || error.code == .poisoned { return }
        }
        scheduleSlotUpkeep()
    }

    private static func lossWarning(_ slot: ReplicationSlot) -> SQLError {
        SQLError(
            .warning, "replication slot \"\(slot.name)\" is lost: \(slot.loss?.reason ?? "")",
            detail: "Changes after \(slot.confirmedLSN) can no longer be given.",
            hint: "Drop it, make it again, and start its consumer over from a snapshot.",
            severity: .warning)
    }
}
