/// What is made ready for a layer that is no memtable, ingested files or a large batch, before it is
/// logged: putting it there cannot fail for want of memory.
struct LayerPlace {
    /// Stands beside it; holds a batch's range deletes.
    var placeholder: MemTable
    /// The next active memtable; nil when the active one is empty and goes on.
    var fresh: MemTable?
}
