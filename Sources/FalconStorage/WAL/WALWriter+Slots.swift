/// What replication slots ask of the log.
extension WALWriter {
    /// From now on records at and after `hold` stay, as long as the ended segments from there on take `capBytes` at
    /// the most; nil: nothing is held for slots.
    func holdForSlots(from hold: LSN?, capBytes: UInt64) {
        monitor.lock()
        slotHold = hold
        slotCapBytes = capBytes
        askForReleases()
        monitor.unlock()
    }

    /// Slots that need an earlier record are lost: it went, or may go at any time.
    var slotFloor: LSN {
        monitor.locked {
            boundSlots()
            return slotFloorLSN
        }
    }

    /// Where the kept log begins.
    var firstKeptLSN: LSN { monitor.locked { segments.first?.firstLSN ?? .zero } }

    /// Bytes of ended segments that a slot which needs the records from `lsn` on holds.
    func endedBytes(from lsn: LSN) -> UInt64 {
        monitor.locked { segments[endedIndex(of: lsn)...].dropLast().reduce(0) { $0 &+ $1.bytes } }
    }

    /// Bytes of records between two places: without what a crash leaves unused between two segments.
    func recordBytes(from lsn: LSN, to end: LSN) -> UInt64 {
        let distance = end.rawValue &- min(end.rawValue, lsn.rawValue)
        let unused = monitor.locked {
            segments.reduce(UInt64(0)) { sum, segment in
                guard let last = segment.previousEnd else { return sum }
                let from = max(last, lsn).rawValue
                let to = min(segment.firstLSN, end).rawValue
                return sum &+ (to &- min(to, from))
            }
        }
        return distance &- min(distance, unused)
    }

    /// With the monitor held: the first segment with a record at or after `lsn`.
    private func endedIndex(of lsn: LSN) -> Int {
        segments.lastIndex { $0.firstLSN <= lsn } ?? segments.startIndex
    }

    /// With the monitor held: slots that fall behind too far must not fill the disk. They lose whole segments, oldest
    /// first, until the rest is within the cap.
    func boundSlots() {
        guard let hold = slotHold, !segments.isEmpty else { return }
        var index = endedIndex(of: hold)
        var bytes = segments[index...].dropLast().reduce(0) { $0 &+ $1.bytes }
        guard bytes > slotCapBytes else { return }
        while bytes > slotCapBytes, index + 1 < segments.count {
            bytes &-= segments[index].bytes
            index += 1
        }
        slotFloorLSN = max(slotFloorLSN, segments[index].firstLSN)
        slotHold = slotFloorLSN
    }

    /// With the monitor held: whether the segment before `next` is needed by a slot.
    func isHeldBySlots(before next: WALSegmentInfo) -> Bool {
        slotHold.map { next.firstLSN > $0 } ?? false
    }
}
