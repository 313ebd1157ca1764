// The program `aviary-hdf5`: reads an HDF5 file for another program, where it can do no harm.
import AviaryHDF5
import Glibc

exit(HDF5Service.run(CommandLine.arguments))
