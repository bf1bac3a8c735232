#!/bin/bash
# The beginning of a job script for scripts/campaign --slurm: what the queue and the environment need, and nothing else.
#SBATCH --job-name=flowhmc
#SBATCH --nodes=1
#SBATCH --ntasks-per-node=64
#SBATCH --time=24:00:00
# Ten minutes before the end flowhmc is told to stop: leave room for one step and one checkpoint.
#SBATCH --signal=B:USR1@600

# module load openmpi hdf5-parallel
