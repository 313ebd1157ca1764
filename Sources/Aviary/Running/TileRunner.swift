internal import AviaryCheckpoint
internal import AviaryCompute
internal import AviaryGraph
internal import AviaryTensor

/// Runs a network on tiles, with a plan for each size of tile that comes.
final class TileRunner {
}
