import FalconSchema
import FalconStorage

/// Slots that nobody reads are looked after while there are any.
extension SQLDatabase {
    private static let slotUpkeepMilliseconds = 30_000

    /// From now on slots are given up when they are too old, until there are none; to be called when one is made, and
    /// at the open, soon: what was lost before it may not have been told.
    func keepSlotsUp(afterMilliseconds delay: Int = SQLDatabase.slotUpkeepMilliseconds) {
        guard !isKeepingSlots.exchange(true, ordering: .acquiringAndReleasing) else { return }
        scheduleSlotUpkeep(delay)
    }

    /// To be called before slots are shown or used: a loss is durable, and in the server's log, before a client sees it.
    /// Where it cannot be written, the log says so, and the next start finds it again.
    func noteLostSlots() {
        if isReadOnly { return }
        do throws(StorageError) {
            for slot in try slots.noteLosses() { options.whenFailing?(Self.lossWarning(slot)) }
        } catch {
            options.whenFailing?(SQLError(storage: error))
        }
    }

    private func scheduleSlotUpkeep(_ delay: Int = SQLDatabase.slotUpkeepMilliseconds) {
        _ = housekeeping.schedule(afterMilliseconds: delay) { [weak self] in
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
