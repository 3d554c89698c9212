extension TableVerifier {
    /// A block found from its end.
    private struct Link {
        var handle: BlockHandle
        var damage: StorageError?
    }

    /// Walks the blocks of an encrypted table from its end by the lengths in their payloads, and checks place and
    /// checksum of each: what can be known without a key.
    mutating func checkChain() {
        let first = blocks.footer.bodyOffset
        var end = blocks.footer.fileBytes - UInt64(TableFormat.footerBytes)
        do throws(StorageError) {
            _ = try TableHeader.envelope(blocks.file, uid: blocks.footer.uid)
        } catch { report(error, .headerDamaged) }
        do throws(StorageError) {
            while end > first, !isStopped() {
                guard let link = try link(before: end, from: first) else {
                    return reportRest(end, first)
                }
                result.checkedBlocks += 1
                if let damage = link.damage {
                    report(
                        damage, .blockDamaged, length: link.handle.end - link.handle.offset)
                    // A length that was hit leads nowhere: it is believed when a sound block comes before.
                    let next = link.handle.offset
                    let before = next > first ? try self.link(before: next, from: first) : nil
                    if next > first, before == nil || before?.damage != nil {
                        return reportRest(next, first)
                    }
                }
                end = link.handle.offset
            }
        } catch { report(error, .blockDamaged) }
    }

    private mutating func reportRest(_ end: UInt64, _ first: UInt64) {
        report(
            TableFinding(
                .blockDamaged,
                "The blocks before a damaged one cannot be found without the table's key.",
                offset: first, length: end - first))
    }

    /// The block that ends at `end`; nil where none can.
    private func link(before end: UInt64, from first: UInt64) throws(StorageError) -> Link? {
        let tail = UInt64(TableFormat.trailerBytes + 4)
        guard end - first >= tail else { return nil }
        let bytes = try blocks.file.readExactly(Int(tail), at: end - tail)
        let (length, kindByte) = bytes.withUnsafeBytes { bytes in
            (UInt32(littleEndian: bytes.loadUnaligned(as: UInt32.self)), bytes[6])
        }
        let whole = UInt64(length) + UInt64(TableFormat.trailerBytes)
        guard let kind = TableFormat.BlockKind(rawValue: kindByte),
            Int(length) >= TableFormat.sealBytes, whole <= end - first
        else { return nil }
        var link = Link(handle: BlockHandle(offset: end - whole, payloadBytes: length))
        let stored = try blocks.file.readExactly(Int(whole), at: link.handle.offset)
        stored.withUnsafeBytes { bytes in
            do throws(StorageError) {
                try blocks.prove(link.handle, kind, bytes)
            } catch { link.damage = error }
        }
        return link
    }
}
