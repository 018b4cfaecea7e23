/// The training of one cell of the matrix as a process of its own, to be killed:
///
///     MatrixTraining ARCHITECTURE METHOD TASK CHECKPOINT ADAPTER
///
/// It resumes from the checkpoint if it is there, and saves the adapter at the end.
import GraftAdapters
import GraftMatrix
import GraftTensor

let arguments = CommandLine.arguments
guard arguments.count == 6 else {
    throw GraftError(.invalidArgument, "usage: MatrixTraining ARCHITECTURE METHOD TASK CHECKPOINT ADAPTER")
}
let task = try Tasks.named(arguments[3])
let cell = Cell(architecture: arguments[1], method: arguments[2], task: task, precision: .float32)
try cell.train(cell.options(checkpoint: arguments[4])).save(to: arguments[5])
