"""The paper on masked training, figure by figure and table by table, as one page."""
