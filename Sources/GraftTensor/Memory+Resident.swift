import Glibc

extension Memory {
    /// Bytes of the pages that the system has provided, which are those that were touched. Any
    /// thread may ask.
    package var residentByteCount: Int {
        let pageSize = Int(sysconf(Int32(_SC_PAGESIZE)))
        let pageCount = (byteCount + pageSize - 1) / pageSize
        let pagesAtOnce = 4096
        var states = [UInt8](repeating: 0, count: min(pageCount, pagesAtOnce))
        var resident = 0
        for first in stride(from: 0, to: pageCount, by: pagesAtOnce) {
            let count = min(pagesAtOnce, pageCount - first)
            guard mincore(base + first * pageSize, count * pageSize, &states) == 0 else { continue }
            resident += states.prefix(count).count { $0 & 1 == 1 }
        }
        return resident * pageSize
    }
}
