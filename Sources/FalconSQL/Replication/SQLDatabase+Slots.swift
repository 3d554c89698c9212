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

    private func maintainSlots() {
        do throws(StorageError) {
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
